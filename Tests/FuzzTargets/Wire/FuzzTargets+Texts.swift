import MeshBase
import MeshRouting

@testable import MeshWire

extension FuzzTargets {
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    static let invite = FuzzTarget(
        "invite", longest: 400,
        samples: {
            var samples = Samples(seed: 2)
            return try (0..<6).map { _ in Array(try InviteLine.encode(samples.invite()).utf8) }
        },
        read: { bytes in
            guard let invite = try refusing({ try InviteLine.decode(text(bytes)) }) else { return .refused }
            try hold(try InviteLine.encode(invite) == text(bytes), "another line for \(invite)")
            return .taken
        })

    /// The bytes of an invite before they are a line: the checksum is made right, so that what lies behind it
    /// is reached.
    static let inviteFields = FuzzTarget(
        "invite-fields", longest: 200,
        samples: {
            var samples = Samples(seed: 3)
            return try (0..<6).compactMap { _ in
                let line = try InviteLine.encode(samples.invite())
                return Base64URL.decode(line.utf8.dropFirst(InviteLine.prefix.utf8.count)).map {
                    $0.dropLast(4)
                }
            }
        },
        read: { bytes in
            let sum = UInt64(Checksum.crc32(bytes)).bigEndianBytes.suffix(4)
            let line = InviteLine.prefix + Base64URL.encode(bytes + sum)
            guard let invite = try refusing({ try InviteLine.decode(line) }) else { return .refused }
            try hold(try InviteLine.encode(invite) == line, "another line for \(invite)")
            try hold(
                line.utf8.count <= Limits.inviteLine, "a line of \(line.utf8.count) characters was taken")
            return .taken
        })

    /// Each pair with its length before it, as the record carries them.
    static let sighting = FuzzTarget(
        "sighting", longest: 1_200,
        samples: {
            guard let text = SightingText(tag: Octets(Array(1...8))) else { return [] }
            return [text.pairs, text.pairs + [Array("x=y".utf8)]].map {
                $0.flatMap { [UInt8($0.count)] + $0 }
            }
        },
        read: { bytes in
            guard let text = try refusing({ try SightingText(pairs: strings(bytes)) }) else {
                return .refused
            }
            try hold(try SightingText(pairs: text.pairs) == text, "announces another tag than \(text.tag)")
            return .taken
        })

    /// Strings with a length byte before each; the last is what is left.
    static func strings(_ bytes: [UInt8]) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        var rest = bytes[...]
        while let length = rest.popFirst() {
            strings.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        return strings
    }

    static let requestPath = FuzzTarget(
        "request-path", longest: 9_000,
        samples: { ["/", "/a/b%20c/", "/%C3%A9;v=1", "/a~b"].map { Array($0.utf8) } },
        read: { bytes in
            guard case .allowed(let path) = RequestPath.normalised(text(bytes)) else { return .refused }
            guard case .allowed(path) = RequestPath.normalised(path) else {
                throw Breach("the normal form \(path) is not its own")
            }
            let mayCross = Array(path.utf8).withUnsafeBytes { FieldRule.path.admits($0) }
            try hold(mayCross, "\(path) may not cross a link")
            try hold(path.utf8.count <= RequestPath.lengthMax, "\(path.utf8.count) bytes of path")
            try hold(!path.split(separator: "/").contains(".."), "\(path) leads out")
            return .taken
        })

    static let capability = FuzzTarget(
        "capability", longest: 1_100,
        samples: {
            [
                "read=GET,HEAD /list", "book=POST /a/b idempotent", "x=PUT / unsafe", "y=GET /z cache 90s",
                "z=GET / safe cache range",
            ].map { Array($0.utf8) }
        },
        read: { bytes in
            guard case .allowed(let declared) = CapabilityDeclaration.read(text(bytes)) else {
                return .refused
            }
            let capability = declared.capability
            let line =
                "\(capability.name)=\(capability.methods.joined(separator: ",")) \(capability.path)"
                + " \(capability.safety.rawValue)" + (declared.keep.map { " cache \($0)" } ?? "")
            // The normal form of a path may be longer than what was typed, never shorter than one character.
            guard line.utf8.count <= CapabilityDeclaration.lengthMax else { return .taken }
            guard case .allowed(declared) = CapabilityDeclaration.read(line) else {
                throw Breach("declared anew as \(line) it is another")
            }
            return .taken
        })

    /// Lines `name:value`, as an application or a resource sent them.
    static let headerFields = FuzzTarget(
        "header-fields", longest: 2_048,
        samples: { ["accept:a\ncontent-type:text/plain", "a:b"].map { Array($0.utf8) } },
        read: { bytes in
            let fields = bytes.split(separator: UInt8(ascii: "\n")).map { line in
                let name = line.prefix { $0 != UInt8(ascii: ":") }
                return HeaderField(
                    text(Array(name)).lowercased(), text(Array(line.dropFirst(name.count + 1))))
            }
            let passing = HeaderFilter.passing(fields)
            try hold(HeaderFilter.passing(passing) == passing, "not all of \(passing) pass a second time")
            for field in passing {
                try hold(!field.name.hasPrefix("comity-"), "\(field.name) speaks in our name")
                try hold(
                    !field.value.utf8.contains { $0 == 10 || $0 == 13 || $0 == 0 }, "\(field) ends its line")
            }
            return passing.count == fields.count ? .taken : .refused
        })

    /// What has one text for one value; the first byte says which.
    static let texts = FuzzTarget(
        "texts", longest: 300,
        samples: {
            [
                "\u{0}echo", "\u{1}Alpha-2", "\u{2}local", "\u{3}[::1]:80", "\u{3}a.example:7410",
                "\u{4}n" + String(repeating: "a", count: 52), "\u{5}0190b5c2-0000-7000-8000-000000000001",
                "\u{6}AAEC", "\u{7}00ff",
            ].map { Array($0.utf8) }
        },
        read: { bytes in
            guard let kind = bytes.first else { return .refused }
            let text = text(Array(bytes.dropFirst()))
            let again: String?
            switch kind % 8 {
            case 0: again = ResourceName(text)?.description
            case 1: again = NodeName(text)?.description
            case 2: again = Principal(text)?.description
            case 3:
                guard let endpoint = Endpoint(text) else { return .refused }
                try hold(Endpoint(endpoint.description) == endpoint, "\(endpoint) is read as another")
                return .taken
            case 4: again = NodeID(text)?.description
            case 5: again = CorrelationID(text)?.description
            case 6: again = Base64URL.decode(text).map { Base64URL.encode($0) }
            default: again = Hexadecimal.decode(text).map { Hexadecimal.encode($0) }
            }
            guard let again else { return .refused }
            // People may type digits in upper case; in documents there is one text (LinkDocumentTests).
            let expected = [5, 7].contains(kind % 8) ? text.lowercased() : text
            try hold(again == expected, "kind \(kind % 8): \(text) is written \(again)")
            return .taken
        })
}
