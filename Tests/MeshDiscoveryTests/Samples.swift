import MeshBase

@testable import MeshDiscovery

/// Cheap and deterministic stand-ins for cryptography: what is tested here is who is recognised, not how hard
/// tags are to forge.
struct CheapSuite: SignatureSuite {
    func digest(_ bytes: [UInt8]) -> Digest {
        var words: [UInt64] = [1, 2, 3, 4].map { $0 &* 0xcbf2_9ce4_8422_2325 }
        for byte in bytes {
            for index in words.indices {
                words[index] = (words[index] ^ UInt64(byte)) &* (0x100_0000_01b3 &+ UInt64(index) * 2)
            }
        }
        return Digest(words.flatMap(\.bigEndianBytes)) ?? .zero
    }

    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest { digest(key + message) }
    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool { false }
    func encoded(_ value: some Encodable & Sendable) -> [UInt8] { [] }
}

func node(_ number: UInt8) -> NodeID { NodeID(Digest([UInt8](repeating: number, count: 32)) ?? .zero) }

func at(_ seconds: Double) -> Moment {
    let nanoseconds = Int64(seconds * 1e9)
    return Moment(
        instant: Instant(nanoseconds: nanoseconds),
        wall: WallTime(milliseconds: 1_800_000_000_000 + nanoseconds / 1_000_000))
}

func endpoint(_ number: Int) -> Endpoint {
    Endpoint(host: "10.0.\(number / 250).\(number % 250)", port: 7410)
}

extension Sighting {
    static func fixed(_ peer: NodeID?, _ endpoints: Int..., source: String = "entry") -> Sighting {
        Sighting(
            key: SightingKey(witness: .staticList, source: source),
            endpoints: endpoints.map(MeshDiscoveryTests.endpoint),
            claim: peer.map { .node($0) } ?? .nobody, life: nil)
    }

    static func heard(
        _ source: String, tag: SightingTag?, _ endpoints: Int..., interface: String = "eth0",
        life: Duration = .seconds(150)
    ) -> Sighting {
        Sighting(
            key: SightingKey(witness: .mdns(interface: interface), source: source),
            endpoints: endpoints.map(MeshDiscoveryTests.endpoint), claim: tag.map { .tag($0) } ?? .nobody,
            life: life)
    }
}

extension Sighting {
    static func seen(
        by witness: Witness, _ source: String, _ endpoints: Int..., claim: Claim = .nobody,
        life: Duration = .seconds(150)
    ) -> Sighting {
        Sighting(
            key: SightingKey(witness: witness, source: source),
            endpoints: endpoints.map(MeshDiscoveryTests.endpoint), claim: claim, life: life)
    }
}

/// A machine with its outbox, driven one input at a time.
final class Bench {
    static let me = node(100)
    var discovery: Discovery

    init(seed: UInt64 = 1, _ configuration: DiscoveryConfiguration = DiscoveryConfiguration()) {
        discovery = Discovery(
            node: Self.me, configuration: configuration, generator: SeededGenerator(seed: seed))
    }

    /// The effects of one input, with tags kept as callers owe it.
    func handle(_ input: DiscoveryInput, _ moment: Moment) -> [DiscoveryEffect] {
        var outbox = Outbox<DiscoveryEffect>()
        discovery.learnTags(at: moment, using: CheapSuite())
        discovery.handle(input, at: moment, into: &outbox)
        return outbox.drain()
    }

    /// Where one input leads to a dial.
    func dials(_ input: DiscoveryInput, _ moment: Moment) -> [DialTarget] {
        handle(input, moment).compactMap { if case .dial(let target) = $0 { target } else { nil } }
    }

    /// Lets time pass until the next dial, at most until `limit`.
    func nextDial(before limit: Double) -> (moment: Moment, targets: [DialTarget])? {
        while let deadline = discovery.nextDeadline, deadline <= at(limit).instant {
            let moment = Moment(instant: deadline, wall: at(Double(deadline.nanoseconds) / 1e9).wall)
            let targets = dials(.timeReached, moment)
            if !targets.isEmpty { return (moment, targets) }
        }
        return nil
    }

    func tag(of peer: NodeID, _ moment: Moment) -> SightingTag {
        SightingTag(of: peer, hour: SightingTag.hour(of: moment.wall), using: CheapSuite())
    }
}
