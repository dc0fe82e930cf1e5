import Glibc
import MeshControl

/// One interface of this machine over which others could be found.
struct NetworkInterface: Equatable, Sendable {
    let name: String
    let index: UInt32
    let kind: DoctorFacts.NetworkFacts.Kind
    let carriesMulticast: Bool
    /// Its first address of each family; of IPv6 a link-local one, from which multicast is asked.
    let four: String?
    let six: String?

    /// Interfaces that are up and have an address; no loopback, and none that is a part of a bridge.
    static func all() -> [NetworkInterface] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        struct Found {
            var flags: UInt32 = 0
            var four: String?
            var six: String?
        }
        var found: [(name: String, Found)] = []
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            let name = String(cString: entry.ifa_name)
            if !found.contains(where: { $0.name == name }) { found.append((name, Found())) }
            guard let place = found.firstIndex(where: { $0.name == name }) else { continue }
            found[place].1.flags = entry.ifa_flags
            guard let address = entry.ifa_addr else { continue }
            switch Int32(address.pointee.sa_family) {
            case AF_INET where found[place].1.four == nil:
                found[place].1.four = text(of: address, length: MemoryLayout<sockaddr_in>.size)
            case AF_INET6 where found[place].1.six == nil:
                let text = text(of: address, length: MemoryLayout<sockaddr_in6>.size)
                if text?.hasPrefix("fe80:") == true { found[place].1.six = text }
            default: break
            }
        }
        return found.compactMap { name, found in
            func has(_ flag: Int) -> Bool { found.flags & UInt32(flag) != 0 }
            guard has(Int(IFF_UP)), has(Int(IFF_RUNNING)), !has(Int(IFF_LOOPBACK)),
                found.four != nil || found.six != nil,
                access("/sys/class/net/\(name)/brport", F_OK) != 0
            else { return nil }
            let kind: DoctorFacts.NetworkFacts.Kind =
                isContainerBridge(name)
                ? .containerBridge : has(Int(IFF_POINTOPOINT)) ? .tunnel : .ordinary
            return NetworkInterface(
                name: name, index: if_nametoindex(name), kind: kind,
                carriesMulticast: has(Int(IFF_MULTICAST)), four: found.four, six: found.six)
        }
    }

    /// A bridge that container engines make and name.
    private static func isContainerBridge(_ name: String) -> Bool {
        LocalNetworks.isContainerBridge(name) && access("/sys/class/net/\(name)/bridge", F_OK) == 0
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>, length: Int) -> String? {
        SocketAddressText.host(of: address, length: socklen_t(length))
    }
}

/// Addresses of sockets as text.
enum SocketAddressText {
    /// The address without its port; nil when it is none.
    static func host(of address: UnsafePointer<sockaddr>, length: socklen_t) -> String? {
        var host = [CChar](repeating: 0, count: 256)
        guard getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
