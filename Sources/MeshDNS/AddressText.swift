import CResolv

/// An address of a record as text, if something can be dialled there: not the unspecified one, no multicast,
/// no link-local IPv6 (a zone cannot say on which link), no IPv4 in IPv6's clothes.
struct AddressText: Equatable, Sendable {
    let text: String

    init?(_ value: DNSRecord.Value) {
        switch value {
        case .a(let bytes):
            guard bytes.count == 4, bytes[0] > 0, bytes[0] < 224 else { return nil }
            text = Self.text(of: bytes, family: AF_INET)
        case .aaaa(let bytes):
            guard bytes.count == 16, bytes[0] < 0xff, !(bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80),
                bytes.prefix(15).contains(where: { $0 > 0 }) || bytes[15] == 1,
                !(bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10...11].allSatisfy { $0 == 0xff })
            else { return nil }
            text = Self.text(of: bytes, family: AF_INET6)
        case .cname, .ptr, .srv, .txt: return nil
        }
    }

    /// As `inet_ntop` writes it: Avahi's addresses are written alike, so that both name one endpoint.
    private static func text(of bytes: [UInt8], family: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let base = buffer.baseAddress,
                inet_ntop(family, bytes, base, socklen_t(INET6_ADDRSTRLEN)) != nil
            else { preconditionFailure("inet_ntop has no text for \(bytes)") }
            return String(cString: base)
        }
    }
}
