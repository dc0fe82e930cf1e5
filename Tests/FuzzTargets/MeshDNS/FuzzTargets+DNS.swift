import MeshBase

@testable import MeshDNS

/// Answers of name servers.
extension FuzzTargets {
    static let dns = [
        FuzzTarget(
            "dns-answer", longest: 2_000,
            samples: { DNSSamples.all },
            read: { bytes in
                guard let message = try message(bytes) else { return .refused }
                for record in message.answers + message.additional {
                    try hold(record.name.bytes.count <= DNSName.lengthInBytes, "a name too long")
                    try hold(DNSName(record.name.description) == record.name, "another name: \(record.name)")
                    try hold(record.timeToLive >= .zero, "holds for \(record.timeToLive)")
                }
                try browse(message)
                return .taken
            })
    ]

    private static func message(_ bytes: [UInt8]) throws -> DNSMessage? {
        do throws(DNSMessage.Malformed) {
            return try DNSMessage(bytes)
        } catch {
            return nil
        }
    }

    /// Whatever an answer says, it is taken for every question that it leads to.
    private static func browse(_ message: DNSMessage) throws {
        var browse = DNSBrowse(
            service: message.name, generator: SeededGenerator(seed: 1), at: .zero)
        var effects = Outbox<DNSBrowse.Effect>()
        browse.handle(.timeReached, at: .zero, into: &effects)
        var told = 0
        for _ in 0..<64 {
            guard case .asking(let question) = browse.phase else { break }
            let answer = DNSMessage(
                id: message.id, isTruncated: false, responseCode: 0, name: question.name,
                kind: question.kind.rawValue, answers: message.answers, additional: message.additional)
            browse.handle(.answered(answer), at: .zero, into: &effects)
        }
        for case .tell(.sighted(let sighting)) in effects.drain() {
            told += 1
            try hold(
                (1...Limits.endpointsPerPeer).contains(sighting.endpoints.count), "\(sighting.endpoints)")
            try hold(sighting.life >= .zero && sighting.life <= Limits.dnsLifeMost, "lives \(sighting.life)")
            try hold(sighting.instance.utf8.count <= 252, "called \(sighting.instance)")
        }
        try hold(told <= Limits.dnsInstances * 64, "told \(told) sightings")
    }
}

/// Answers as servers write them, names compressed.
enum DNSSamples {
    /// `_comity._tcp.m` stands at 12, an instance `a` of it where the first answer's value begins.
    private static let name = text("_comity") + text("_tcp") + text("m") + [0]
    private static let list = header(answers: 1, additional: 3) + name + kind(12)
    private static let instance = UInt8(list.count + 12)

    static let all: [[UInt8]] = [
        list + record([0xc0, 12], 12, text("a") + [0xc0, 12])
            + record([0xc0, instance], 33, [0, 0, 0, 0, 0x1c, 0xf2] + text("h") + [0xc0, 25])
            + record([0xc0, instance], 16, text("v=1") + text("t=AAECAwQFBgc"))
            + record(text("h") + [0xc0, 25], 1, [192, 0, 2, 1]),
        header(answers: 2, additional: 0) + text("h") + text("m") + [0] + kind(28)
            + record([0xc0, 12], 5, text("g") + [0xc0, 14])
            + record(
                text("g") + [0xc0, 14], 28, [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]),
        header(answers: 0, additional: 0, code: 3) + name + kind(12),
    ]

    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
    private static func kind(_ number: UInt8) -> [UInt8] { [0, number, 0, 1] }
    private static func header(answers: UInt8, additional: UInt8, code: UInt8 = 0) -> [UInt8] {
        [0x12, 0x34, 0x85, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, additional]
    }
    private static func record(_ name: [UInt8], _ number: UInt8, _ value: [UInt8]) -> [UInt8] {
        name + kind(number) + [0, 0, 0, 120, 0, UInt8(value.count)] + value
    }
}
