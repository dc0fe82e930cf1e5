import Dispatch
import Glibc
import MeshBase
import NIOCore
import NIOPosix
import Synchronization

/// Finds the addresses of names, several at once, as the machine itself does (`getaddrinfo`).
///
/// Left to NIO, each event loop looks up one host after the other, and addresses in digits wait in the same
/// row: one name about which a name server is silent, for half a minute perhaps, would make every other dial
/// run out of time. Here a name that hangs keeps nobody waiting but those who ask for it, and an address in
/// digits is no name.
///
/// Bounded: `namesAtOnce` threads, `namesMax` names; what is beyond fails at once, and is dialled again like
/// any address that did not answer. Who asks for a name that is looked up already gets the same answer.
final class NameLookup: Sendable {
    /// Blocks, for as long as the machine's resolver does.
    typealias Search = @Sendable (_ host: String) -> Result<[SocketAddress], NameUnknown>

    /// Threads that may wait for name servers.
    static let namesAtOnce = 16
    /// Names that are looked up or wait for it. Peers can name hosts, so there must be an end.
    static let namesMax = 256

    private struct Work {
        /// Whoever waits, by the name that is looked up or waits to be.
        var askers: [String: [EventLoopPromise<[SocketAddress]>]] = [:]
        /// Names for which no thread was free, in order.
        var waiting: [String] = []
        var threads = 0
    }

    private let search: Search
    private let work = Mutex(Work())

    init(search: @escaping Search = NameLookup.searchSystem) { self.search = search }

    /// The addresses of a name, with port 0.
    func find(_ host: String, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        let promise = loop.makePromise(of: [SocketAddress].self)
        enum Next { case wait, search, refuse }
        let next = work.withLock { work -> Next in
            guard work.askers[host] != nil || work.askers.count < Self.namesMax else { return .refuse }
            work.askers[host, default: []].append(promise)
            guard work.askers[host]?.count == 1 else { return .wait }
            guard work.threads < Self.namesAtOnce else {
                work.waiting.append(host)
                return .wait
            }
            work.threads += 1
            return .search
        }
        switch next {
        case .wait: break
        case .search: look(for: host)
        case .refuse: promise.fail(NameUnknown(host: host, cause: "too many names are looked up"))
        }
        return promise.futureResult
    }

    /// On a queue of its own: one that they share gets a thread more only once a second while others block.
    private func look(for host: String) {
        DispatchQueue(label: "comity.names").async { [self] in
            let found = search(host)
            let (askers, next) = work.withLock { work in
                let askers = work.askers.removeValue(forKey: host) ?? []
                guard !work.waiting.isEmpty else {
                    work.threads -= 1
                    return (askers, String?.none)
                }
                return (askers, work.waiting.removeFirst())
            }
            for asker in askers { asker.completeWith(found.mapError { $0 }) }
            if let next { look(for: next) }
        }
    }

    /// The address that is written in digits, an IPv6 one with its scope if it has any; nil for a name.
    static func address(_ endpoint: Endpoint) -> SocketAddress? {
        guard case .success(let found) = ask(endpoint.host, AI_NUMERICHOST), var address = found.first else {
            return nil
        }
        address.port = Int(endpoint.port)
        return address
    }

    /// Asks as the machine is set up to.
    @Sendable static func searchSystem(_ host: String) -> Result<[SocketAddress], NameUnknown> {
        ask(host, 0)
    }

    private static func ask(_ host: String, _ flags: Int32) -> Result<[SocketAddress], NameUnknown> {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            return .failure(NameUnknown(host: host, cause: String(cString: gai_strerror(status))))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = SocketAddress(entry.pointee) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return .success(addresses)
    }
}

/// A name has no address, or nobody says which.
struct NameUnknown: Error, Equatable, CustomStringConvertible {
    let host: String
    let cause: String

    var description: String { "\(host) is not found: \(cause.lowercased())" }
}

/// What a bootstrap asks for the addresses of the one name that it dials; it races them.
struct DialledName: Resolver, Sendable {
    private let found: EventLoopFuture<[SocketAddress]>

    /// - Parameter loop: the one on which it is dialled.
    init(_ endpoint: Endpoint, _ names: NameLookup, on loop: any EventLoop) {
        found = names.find(endpoint.host, on: loop).map { addresses in
            addresses.map { address in
                var address = address
                address.port = Int(endpoint.port)
                return address
            }
        }
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        found.map { $0.filter { $0.protocol == .inet } }
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        found.map { $0.filter { $0.protocol == .inet6 } }
    }

    /// A lookup cannot be interrupted; its answer is dropped.
    func cancelQueries() {}
}

extension SocketAddress {
    /// Nil for what is neither IPv4 nor IPv6.
    fileprivate init?(_ entry: addrinfo) {
        guard let bytes = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET: self.init(bytes.loadUnaligned(as: sockaddr_in.self))
        case AF_INET6: self.init(bytes.loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
    }
}
