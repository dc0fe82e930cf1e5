import Glibc

/// Whose address it is, as far as limits can tell: an IPv4 address by itself, an IPv6 address by its /64.
///
/// Whoever has one IPv6 address has the 2^64 of its network (RFC 4291 section 2.5.1): counted one by one
/// they would be no limit at all. A link-local address stands for itself, for its network is every host on
/// the wire.
struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    /// The address, or `NETWORK::/64`.
    let description: String

    /// - Parameter host: as a socket gives it: without brackets, a link-local address with its scope.
    init(of host: String) {
        let address = host.prefix { $0 != "%" }
        var parsed = in6_addr()
        guard inet_pton(AF_INET6, String(address), &parsed) == 1 else {
            description = host
            return
        }
        let bytes = withUnsafeBytes(of: parsed) { Array($0) }
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            // An IPv4 address that came through an IPv6 socket (RFC 4291 section 2.5.5.2).
            description = bytes[12...].map(String.init).joined(separator: ".")
        } else if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 {
            description = host
        } else {
            let groups = stride(from: 0, to: 8, by: 2).map {
                String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
            }
            description = groups.joined(separator: ":") + "::/64"
        }
    }
}
