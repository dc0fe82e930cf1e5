import MeshBase

/// What an inviter gives a joiner over a channel that both trust (protocol section 3).
public struct Invite: Equatable, Sendable {
    /// Whom the joiner will accept, and nobody else.
    public let inviter: NodeID
    /// Where the inviter may be reached, at most four; none: where it is sighted.
    public let endpoints: [Endpoint]
    /// 16 random bytes: who has them may pair once.
    public let secret: Octets
    /// When the invite is over. A line carries whole seconds.
    public let expires: WallTime

    public init(inviter: NodeID, endpoints: [Endpoint], secret: Octets, expires: WallTime) {
        self.inviter = inviter
        self.endpoints = endpoints
        self.secret = secret
        self.expires = expires
    }
}

extension Invite: CustomStringConvertible, CustomDebugStringConvertible {
    /// Without the secret, so that no log has it.
    public var description: String { "invite of \(inviter)" }
    public var debugDescription: String { description }
}

/// An invite as one line to be copied: `comity1_` and base64url, 94 characters with one IPv4 address.
///
/// The bytes are node ID (32), secret (16), expiry in seconds (4), number of endpoints (1), each a type, an
/// address and a port, and last the CRC-32 of all before it: so that a slip in copying is told apart from an
/// invite that is no longer good. One invite has one line: an address that has a short form is written in it.
public enum InviteLine {
    /// What every invite of this version begins with. It selects as one word with the rest.
    public static let prefix = "comity1_"
    private static let family = "comity"
    private static let secretLength = 16
    private static let endpointLimit = 4

    private enum Host {
        static let name: UInt8 = 1
        static let four: UInt8 = 4
        static let six: UInt8 = 6
    }

    /// The line of `invite`; its expiry is rounded down to a second.
    /// - Throws: `fieldRefused` for more than four endpoints, a secret of another length, an endpoint that is
    ///   none, or an expiry outside 1970 ... 2106; `tooLong` beyond `Limits.inviteLine` characters (long host
    ///   names).
    public static func encode(_ invite: Invite) throws(WireError) -> String {
        var writer = ByteWriter(reserving: 128)
        writer.append(invite.inviter.digest.bytes)
        guard invite.secret.bytes.count == secretLength else {
            throw .fieldRefused("secret", at: writer.count)
        }
        writer.append(invite.secret.bytes)
        guard let seconds = UInt32(exactly: invite.expires.milliseconds / 1000),
            invite.expires.milliseconds >= 0
        else {
            throw .fieldRefused("expiry", at: writer.count)
        }
        writer.append(number: seconds)
        guard invite.endpoints.count <= endpointLimit else {
            throw .fieldRefused("number of endpoints", at: writer.count)
        }
        writer.append(UInt8(invite.endpoints.count))
        for endpoint in invite.endpoints { try append(endpoint, to: &writer) }
        writer.append(number: Checksum.crc32(writer.bytes))
        let line = prefix + Base64URL.encode(writer.bytes)
        guard line.utf8.count <= Limits.inviteLine else {
            throw .tooLong(bytes: line.utf8.count, limit: Limits.inviteLine)
        }
        return line
    }

    /// The invite that `line` carries.
    /// - Throws: `notAnInvite` when it begins otherwise, `versionUnknown` for another version's, `mistyped`
    ///   when a character is wrong, missing or too many, `fieldRefused` for what nobody mistyped.
    public static func decode(_ line: String) throws(WireError) -> Invite {
        guard line.utf8.count <= Limits.inviteLine else {
            throw .tooLong(bytes: line.utf8.count, limit: Limits.inviteLine)
        }
        guard line.hasPrefix(prefix) else { throw isOfAnotherVersion(line) }
        guard let bytes = Base64URL.decode(line.utf8.dropFirst(prefix.utf8.count)), bytes.count > 4,
            Checksum.crc32(bytes.dropLast(4))
                == UInt32(truncatingIfNeeded: UInt64(bigEndian: bytes.suffix(4)))
        else { throw .mistyped }
        return try ByteReader.over(bytes.dropLast(4)) { (content) throws(WireError) in
            var reader = try ByteReader(content, limit: Limits.inviteLine)
            let inviter = NodeID(try reader.digest())
            let secret = Octets(Array(try reader.run(of: secretLength)))
            let expires = WallTime(milliseconds: Int64(try reader.number(UInt32.self)) * 1000)
            let count = try reader.byte()
            guard count <= endpointLimit else {
                throw .fieldRefused("number of endpoints", at: reader.offset - 1)
            }
            var endpoints: [Endpoint] = []
            for _ in 0..<count { endpoints.append(try endpoint(from: &reader)) }
            try reader.finish()
            return Invite(inviter: inviter, endpoints: endpoints, secret: secret, expires: expires)
        }
    }

    private static func isOfAnotherVersion(_ line: String) -> WireError {
        let rest = line.utf8.dropFirst(family.utf8.count)
        guard line.hasPrefix(family), let mark = rest.firstIndex(of: UInt8(ascii: "_")),
            let version = UInt8(String(decoding: rest[..<mark], as: UTF8.self))
        else { return .notAnInvite }
        return .versionUnknown(version)
    }

    private static func append(_ endpoint: Endpoint, to writer: inout ByteWriter) throws(WireError) {
        guard endpoint.port > 0, Endpoint(endpoint.description) == endpoint else {
            throw .fieldRefused("endpoint", at: writer.count)
        }
        if let four = AddressText.fourBytes(endpoint.host) {
            writer.append(Host.four)
            writer.append(four)
        } else if let six = AddressText.sixteenBytes(endpoint.host) {
            writer.append(Host.six)
            writer.append(six)
        } else {
            writer.append(Host.name)
            writer.append(text: endpoint.host)
        }
        writer.append(number: endpoint.port)
    }

    private static func endpoint(from reader: inout ByteReader) throws(WireError) -> Endpoint {
        let start = reader.offset
        let host: String
        switch try reader.byte() {
        case Host.four: host = AddressText.text(four: Array(try reader.run(of: 4)))
        case Host.six: host = AddressText.text(sixteen: Array(try reader.run(of: 16)))
        case Host.name:
            host = try reader.text("host", .plain, limit: Limits.inviteLine)
            guard AddressText.fourBytes(host) == nil, AddressText.sixteenBytes(host) == nil else {
                throw .fieldRefused("host", at: start)
            }
        default: throw .fieldRefused("type of host", at: start)
        }
        let endpoint = Endpoint(host: host, port: try reader.number(UInt16.self))
        guard endpoint.port > 0, Endpoint(endpoint.description) == endpoint else {
            throw .fieldRefused("endpoint", at: start)
        }
        return endpoint
    }
}
