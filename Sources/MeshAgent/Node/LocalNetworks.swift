import Glibc
import MeshBase
import NIOCore
import NIOPosix

/// Which addresses are on this machine's own networks.
enum LocalNetworks {
    /// Whether `host`, an address, is within the network of one of this machine's interfaces now.
    static func contain(_ host: String) -> Bool {
        guard let address = bytes(of: host) else { return false }
        return networks().contains { network in
            network.address.count == address.count
                && zip(zip(network.address, address), network.mask).allSatisfy { ($0.0 & $1) == ($0.1 & $1) }
        }
    }

    /// The addresses at which this machine can be reached, best first: no loopback, and link-local ones not
    /// at all, whose scope means nothing elsewhere.
    static func addresses() -> [String] {
        var found: [String] = []
        var loopback: [String] = []
        for interface in interfaces() {
            guard let text = interface.address?.ipAddress, !text.hasPrefix("fe80:"),
                !text.hasPrefix("169.254.")
            else { continue }
            let isLoopback = text == "::1" || text.hasPrefix("127.")
            if isLoopback {
                if !text.contains(":") { loopback.append(text) }
            } else if !isContainerBridge(interface.name) {
                found.append(text)
            }
        }
        let ordered = found.filter { !$0.contains(":") } + found.filter { $0.contains(":") }
        return ordered.isEmpty ? loopback : ordered
    }

    /// From which of this machine's addresses `endpoint` is reached; nil when it is not. Nothing is sent: a
    /// datagram socket that is connected only learns its route. Looking up a name may block.
    static func address(toward endpoint: Endpoint) -> String? {
        do {
            let remote = try SocketAddress.makeAddressResolvingHost(endpoint.host, port: Int(endpoint.port))
            let family = remote.protocol == .inet ? AF_INET : AF_INET6
            let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            guard remote.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 else { return nil }
            return localAddress(of: descriptor)
        } catch {
            return nil
        }
    }

    private static func localAddress(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { return nil }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let named = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo($0, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard named == 0 else { return nil }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return host.contains("%") ? nil : host
    }

    /// Container bridges and tunnels are addresses that nobody else can use.
    static func isContainerBridge(_ name: String) -> Bool {
        ["docker", "br-", "veth", "virbr", "cni", "flannel"].contains { name.hasPrefix($0) }
    }

    private static func interfaces() -> [NIONetworkDevice] {
        do {
            return try System.enumerateDevices()
        } catch {
            return []
        }
    }

    private static func networks() -> [(address: [UInt8], mask: [UInt8])] {
        interfaces().compactMap { device in
            guard let text = device.address?.ipAddress, let address = bytes(of: text),
                let maskText = device.netmask?.ipAddress, let mask = bytes(of: maskText),
                mask.count == address.count
            else { return nil }
            return (address, mask)
        }
    }

    private static func bytes(of host: String) -> [UInt8]? {
        let bare = String(host.prefix { $0 != "%" })
        var four = in_addr()
        if inet_pton(AF_INET, bare, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, bare, &six) == 1 { return withUnsafeBytes(of: &six) { Array($0) } }
        return nil
    }
}
