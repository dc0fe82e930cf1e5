import Glibc
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
