import CAvahi
import MeshBase

/// Browses for services and resolves each once per renewal. Confined to the lock of the witness's event loop.
///
/// Browsing backs off (1, 2, 4 ... s, RFC 6762 section 5.2), so the browser is made anew by `renew`; what the
/// new one does not find within its first questions is withdrawn. A resolver is freed as soon as it answered:
/// a daemon grants one client 1 024 objects, and a LAN may hold more services than that.
final class AvahiBrowser {
    /// A service as Avahi's numbers name it.
    private struct Key: Hashable {
        let name: String
        let interface: AvahiIfIndex
        let family: AvahiProtocol
    }

    /// Resolvers that are at work at once; the others queue.
    private static let resolverCountMax = 64
    /// Services known at once, in the queue or sighted: as many records as the daemon's own cache holds by
    /// default, so that who floods the network finds no lower bound here than there.
    private static let serviceCountMax = 4_096

    private let emit: @Sendable (AvahiEvent) -> Void
    private let isOwn: (String) -> Bool
    private var client: OpaquePointer?
    private var browser: OpaquePointer?
    private var resolvers: [Key: OpaquePointer] = [:]
    private var queue: [Key] = []
    /// What was sighted and not withdrawn, at most `serviceCountMax`; false: not by the present browser.
    private var standing: [Key: Bool] = [:]

    /// - Parameter isOwn: whether an instance name is that of our own service.
    init(isOwn: @escaping (String) -> Bool, emit: @escaping @Sendable (AvahiEvent) -> Void) {
        self.isOwn = isOwn
        self.emit = emit
    }

    /// Begins to browse anew: all that is there is sighted again.
    func renew(through client: OpaquePointer) {
        stop()
        self.client = client
        for key in standing.keys { standing[key] = false }
        browser = avahi_service_browser_new(
            client, AvahiIfIndex(AVAHI_IF_UNSPEC), AvahiProtocol(AVAHI_PROTO_UNSPEC),
            AvahiWitness.serviceType, nil,
            AvahiLookupFlags(0),
            { _, interface, family, event, name, _, _, _, browser in
                guard let browser else { return }
                let found = name.map { Key(name: String(cString: $0), interface: interface, family: family) }
                Unmanaged<AvahiBrowser>.fromOpaque(browser).takeUnretainedValue().browsed(found, event)
            }, Unmanaged.passUnretained(self).toOpaque())
        if browser == nil { emit(.browsingFailed(reason: avahiReason(avahi_client_errno(client)))) }
    }

    /// Ends browsing. Needed also when the client is lost: browser and resolvers live in the client.
    func stop() {
        if let browser { avahi_service_browser_free(browser) }
        for resolver in resolvers.values { avahi_service_resolver_free(resolver) }
        browser = nil
        client = nil
        resolvers = [:]
        queue = []
    }

    private func browsed(_ key: Key?, _ event: AvahiBrowserEvent) {
        switch (event, key) {
        case (AVAHI_BROWSER_NEW, let key?):
            guard
                standing[key] != nil || standing.count + queue.count + resolvers.count < Self.serviceCountMax
            else { return }
            if standing[key] != nil { standing[key] = true }
            queue.append(key)
            resolveNext()
        case (AVAHI_BROWSER_REMOVE, let key?):
            queue.removeAll { $0 == key }
            finish(key)
            withdraw(key)
        case (AVAHI_BROWSER_ALL_FOR_NOW, _):
            for (key, isFound) in standing where !isFound { withdraw(key) }
        case (AVAHI_BROWSER_FAILURE, _):
            guard let client else { return }
            emit(.browsingFailed(reason: avahiReason(avahi_client_errno(client))))
        default: break
        }
    }

    private func withdraw(_ key: Key) {
        guard standing.removeValue(forKey: key) != nil, let service = service(key) else { return }
        emit(.withdrawn(service))
    }

    private func resolveNext() {
        guard let client else { return }
        while resolvers.count < Self.resolverCountMax, !queue.isEmpty {
            let key = queue.removeFirst()
            guard resolvers[key] == nil else { continue }
            // The address of the family that was browsed: an IPv4 question may otherwise bring a link-local
            // IPv6 address.
            resolvers[key] = avahi_service_resolver_new(
                client, key.interface, key.family, key.name, AvahiWitness.serviceType, nil, key.family,
                AvahiLookupFlags(0),
                { _, interface, family, event, name, _, _, _, address, port, txt, flags, browser in
                    guard let browser, let name else { return }
                    let key = Key(name: String(cString: name), interface: interface, family: family)
                    let answer = event == AVAHI_RESOLVER_FOUND ? address : nil
                    Unmanaged<AvahiBrowser>.fromOpaque(browser).takeUnretainedValue()
                        .resolved(key, answer, port, TXTRecord(list: txt), flags)
                }, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// - Parameters:
    ///   - address: nil when nobody answered: the next renewal asks again.
    ///   - txt: nil when it is too long to be a service of ours.
    private func resolved(
        _ key: Key, _ address: UnsafePointer<AvahiAddress>?, _ port: UInt16, _ txt: TXTRecord?,
        _ flags: AvahiLookupResultFlags
    ) {
        finish(key)
        defer { resolveNext() }
        guard let address, let txt, port > 0, let service = service(key) else { return }
        guard let host = host(address, on: service.interface) else { return }
        standing[key] = true
        let comesFromUs = flags.rawValue & AVAHI_LOOKUP_RESULT_OUR_OWN.rawValue != 0
        emit(
            .sighted(
                AvahiSighting(
                    service: service, endpoint: Endpoint(host: host, port: port), txt: txt,
                    isOwn: comesFromUs || isOwn(key.name))))
    }

    private func finish(_ key: Key) {
        guard let resolver = resolvers.removeValue(forKey: key) else { return }
        avahi_service_resolver_free(resolver)
    }

    private func service(_ key: Key) -> AvahiService? {
        let family: AvahiService.AddressFamily
        switch Int(key.family) {
        case Int(AVAHI_PROTO_INET): family = .ipv4
        case Int(AVAHI_PROTO_INET6): family = .ipv6
        default: return nil
        }
        return AvahiService(instance: key.name, interface: interfaceName(key.interface), family: family)
    }

    private func interfaceName(_ index: AvahiIfIndex) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { buffer in
            guard let base = buffer.baseAddress, let name = if_indextoname(UInt32(index), base) else {
                return "\(index)"
            }
            return String(cString: name)
        }
    }

    /// The address as text, a link-local one with its scope; nil when Avahi cannot print it.
    private func host(_ address: UnsafePointer<AvahiAddress>, on interface: String) -> String? {
        let capacity = Int(AVAHI_ADDRESS_STR_MAX)
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer -> String? in
            guard let base = buffer.baseAddress else { return nil }
            return avahi_address_snprint(base, capacity, address).map { String(cString: $0) }
        }
        guard let text else { return nil }
        // fe80::/10 (RFC 4291 section 2.5.6)
        let isLinkLocal =
            Int(address.pointee.proto) == Int(AVAHI_PROTO_INET6)
            && address.pointee.data.ipv6.address.0 == 0xfe
            && address.pointee.data.ipv6.address.1 & 0xc0 == 0x80
        return isLinkLocal ? "\(text)%\(interface)" : text
    }
}
