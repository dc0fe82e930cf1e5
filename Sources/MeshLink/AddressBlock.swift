import MeshBase

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
        guard let address = IPAddress(host) else {
            description = host
            return
        }
        let bytes = address.bytes
        if bytes.count == 4 {
            description = address.description
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
