import Glibc
import MeshBase
import NIOCore

extension Endpoint {
    /// The endpoint of a socket; nil for one that is no IP socket, or is closed. An IPv4 address that came
    /// through an IPv6 socket (`::ffff:192.0.2.1`) is written as IPv4, and a link-local one keeps its scope.
    init?(_ address: SocketAddress?) {
        guard let address, let text = address.ipAddress, let port = address.port else { return nil }
        var host = text
        if host.hasPrefix("::ffff:"), host.contains(".") { host.removeFirst("::ffff:".count) }
        if case .v6 = address, !host.contains("%") {
            let scope = address.withSockAddr { address, _ in
                UnsafeRawPointer(address).loadUnaligned(fromByteOffset: scopeOffset, as: UInt32.self)
            }
            if scope != 0 { host += "%" + interfaceName(scope) }
        }
        self.init(host: host, port: UInt16(port))
    }
}

/// Where `sin6_scope_id` stands in a `sockaddr_in6`: behind family, port, flow label and address (RFC 3493
/// section 3.3).
private let scopeOffset = 2 + 2 + 4 + 16

private func interfaceName(_ index: UInt32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
        guard let base = name.baseAddress, let found = if_indextoname(index, base) else {
            return String(index)
        }
        return String(cString: found)
    }
}
