import Glibc
import MeshBase
import MeshControl

/// Sends real multicast over each interface in each address family, and counts what comes back: to this host
/// itself, and from others who answer.
enum MulticastProbe {
    /// Questions that are sent over each interface, and how far apart.
    private static let rounds = 3
    private static let gap: Duration = .milliseconds(300)
    /// Responders may wait for half a second before they answer (RFC 6762 section 6).
    private static let patience: Duration = .milliseconds(1_500)

    private static let port: UInt16 = 5_353
    private static let groups = (four: "224.0.0.251", six: "ff02::fb")

    /// What was found, interface by interface. It takes a second and a half, whatever their number; to be
    /// called where a thread may wait.
    static func ask(over interfaces: [NetworkInterface]) -> [DoctorFacts.NetworkFacts] {
        var ears: [Ear] = []
        for (place, interface) in interfaces.enumerated() where interface.carriesMulticast {
            for (family, own) in [(AF_INET, interface.four), (AF_INET6, interface.six)] {
                guard let own else { continue }
                ears.append(Ear(place, family, own, interface.index))
            }
        }
        let own = Set(interfaces.flatMap { [$0.four, $0.six] }.compactMap { $0 })
        listen(&ears, own)
        for ear in ears { ear.close() }
        return interfaces.enumerated().map { place, interface in
            DoctorFacts.NetworkFacts(
                name: interface.name, kind: interface.kind, carriesMulticast: interface.carriesMulticast,
                probes: ears.filter { $0.place == place }.map(\.facts))
        }
    }

    private static func listen(_ ears: inout [Ear], _ own: Set<String>) {
        let clock = ContinuousClock()
        let start = clock.now
        var sent = 0
        while clock.now - start < patience {
            if sent < rounds, clock.now - start >= gap * sent {
                for place in ears.indices { ears[place].ask() }
                sent += 1
            }
            var waiting = ears.flatMap(\.descriptors).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            _ = poll(&waiting, nfds_t(waiting.count), 50)
            for place in ears.indices { ears[place].take(own) }
        }
    }

    /// What asks and listens over one interface in one family.
    private struct Ear {
        let place: Int
        private let family: Int32
        private let group: MulticastAddress?
        private let question: MulticastQuestion
        /// Asks, and hears answers that come to it alone.
        private var asker: Int32 = -1
        /// Hears what the group hears; -1 where another program does not share the port.
        private var listener: Int32 = -1
        private var sent = 0
        private var returned = 0
        private var answering: [String] = []
        private var error: String?

        init(_ place: Int, _ family: Int32, _ own: String, _ interface: UInt32) {
            self.place = place
            self.family = family
            question = MulticastQuestion(id: UInt16.random(in: 1 ... .max))
            let host = family == AF_INET ? groups.four : "\(groups.six)%\(interface)"
            group = MulticastAddress(host: host, port: port)
            guard let group, let own = MulticastAddress(host: own, port: 0) else {
                error = "its address cannot be read"
                return
            }
            asker = MulticastSocket.asker(family, at: own, over: interface)
            if asker < 0 { error = String(cString: strerror(errno)) }
            listener = MulticastSocket.listener(family, of: group, over: interface)
        }

        var descriptors: [Int32] { [asker, listener].filter { $0 >= 0 } }

        var facts: DoctorFacts.MulticastFacts {
            DoctorFacts.MulticastFacts(
                family: family == AF_INET ? "IPv4" : "IPv6", sent: sent,
                returned: listener < 0 ? nil : returned, answering: answering, error: error)
        }

        mutating func ask() {
            guard asker >= 0, let group else { return }
            let bytes = question.bytes
            let count = group.with { sendto(asker, bytes, bytes.count, 0, $0, $1) }
            if count == bytes.count { sent += 1 } else { error = String(cString: strerror(errno)) }
        }

        /// Takes what came; others' addresses at most as many as a report shows.
        mutating func take(_ own: Set<String>) {
            for descriptor in descriptors {
                while let (bytes, host) = MulticastSocket.receive(descriptor) {
                    if descriptor == listener {
                        if bytes == question.bytes { returned += 1 }
                    } else if question.isAnswered(by: bytes), !own.contains(host), answering.count < 64,
                        !answering.contains(host)
                    {
                        answering.append(host)
                    }
                }
            }
        }

        func close() { for descriptor in descriptors { Glibc.close(descriptor) } }
    }
}

/// An address as sockets take it.
struct MulticastAddress: Sendable {
    private let bytes: [UInt8]

    /// Nil unless `host` is an address, with its scope where it needs one.
    init?(host: String, port: UInt16) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let entry = found?.pointee,
            let address = entry.ai_addr
        else { return nil }
        defer { freeaddrinfo(found) }
        bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
    }

    func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        bytes.withUnsafeBytes { raw in
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: raw) }
            return withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(raw.count)) }
            }
        }
    }

    /// The bytes of the address alone, without family, port and scope.
    var host: [UInt8] {
        with { address, _ in
            if Int32(address.pointee.sa_family) == AF_INET {
                return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                    var host = pointer.pointee.sin_addr
                    return withUnsafeBytes(of: &host) { Array($0) }
                }
            }
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                var host = pointer.pointee.sin6_addr
                return withUnsafeBytes(of: &host) { Array($0) }
            }
        }
    }
}

/// Sockets for multicast; a descriptor below 0 is none, with the reason in `errno`.
enum MulticastSocket {
    static func asker(_ family: Int32, at own: MulticastAddress, over interface: UInt32) -> Int32 {
        open(family) { descriptor in
            let isSet =
                family == AF_INET
                ? set(descriptor, IPPROTO_IP, IP_MULTICAST_IF, membership(nil, interface))
                    && set(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, Int32(255))
                : set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, Int32(interface))
                    && set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, Int32(255))
            return isSet && own.with { bind(descriptor, $0, $1) == 0 }
        }
    }

    /// Bound to the group, so that it takes no unicast from whoever shares the port.
    static func listener(_ family: Int32, of group: MulticastAddress, over interface: UInt32) -> Int32 {
        open(family) { descriptor in
            guard set(descriptor, SOL_SOCKET, SO_REUSEADDR, Int32(1)),
                set(descriptor, SOL_SOCKET, SO_REUSEPORT, Int32(1)),
                group.with({ bind(descriptor, $0, $1) == 0 })
            else { return false }
            guard family == AF_INET6 else {
                return set(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership(group, interface))
                    && set(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, Int32(0))
            }
            var wanted = ipv6_mreq()
            withUnsafeMutableBytes(of: &wanted.ipv6mr_multiaddr) { $0.copyBytes(from: group.host) }
            wanted.ipv6mr_interface = interface
            return set(descriptor, IPPROTO_IPV6, IPV6_JOIN_GROUP, wanted)
        }
    }

    /// One datagram and whence it came; nil when none waits.
    static func receive(_ descriptor: Int32) -> (bytes: [UInt8], host: String)? {
        var bytes = [UInt8](repeating: 0, count: MulticastQuestion.answerMax + 1)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let (count, host) = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let count = recvfrom(descriptor, &bytes, bytes.count, 0, address, &length)
                return (count, count < 0 ? nil : SocketAddressText.host(of: address, length: length))
            }
        }
        guard count >= 0 else { return nil }
        return (Array(bytes.prefix(count)), host ?? "")
    }

    private static func membership(_ group: MulticastAddress?, _ interface: UInt32) -> ip_mreqn {
        var wanted = ip_mreqn()
        if let group {
            withUnsafeMutableBytes(of: &wanted.imr_multiaddr) { $0.copyBytes(from: group.host) }
        }
        wanted.imr_ifindex = Int32(interface)
        return wanted
    }

    private static func open(_ family: Int32, _ prepare: (Int32) -> Bool) -> Int32 {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return -1 }
        guard prepare(descriptor) else {
            let why = errno
            Glibc.close(descriptor)
            errno = why
            return -1
        }
        return descriptor
    }

    private static func set<Value>(
        _ descriptor: Int32, _ level: some BinaryInteger, _ option: Int32, _ value: Value
    ) -> Bool {
        withUnsafeBytes(of: value) { bytes in
            setsockopt(descriptor, Int32(level), option, bytes.baseAddress, socklen_t(bytes.count)) == 0
        }
    }
}
