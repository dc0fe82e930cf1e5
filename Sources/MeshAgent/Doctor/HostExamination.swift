import Glibc
import MeshAvahi
import MeshBase
import MeshControl
import Synchronization

/// What can be seen of this machine and of a home without its agent.
public enum HostExamination {
    /// Names that are looked up; an operator's list may have 256.
    private static let namesMax = 8
    /// How long the Avahi daemon has to say that it is there.
    private static let avahiPatience: Duration = .seconds(2)

    /// Looks at everything at once; it takes a few seconds, and longer where a name server does not answer.
    /// - Parameter isRunning: whether the home's agent runs: it holds the port then.
    public static func examine(
        _ home: Home, environment: [String: String], isRunning: Bool
    ) async throws(HomeError) -> DoctorFacts {
        let reading = try ConfigurationReader.read(home: home, environment: environment)
        let discovery = reading.configuration.discovery
        async let networks = WitnessThread("multicast").run {
            MulticastProbe.ask(over: NetworkInterface.all())
        }
        async let avahi = discovery.isAvahiOn ? avahi() : .off
        async let names = names(of: discovery.static + discovery.listed)
        var facts = DoctorFacts(home: look(at: home))
        if !isRunning {
            facts.port = port(
                reading.configuration.listen, isChosen: reading.origin(of: "listen") != .standard)
        }
        (facts.networks, facts.avahi, facts.names) = await (networks, avahi, names)
        return facts
    }

    /// A home, and the modes of what must be its owner's alone.
    static func look(at home: Home) -> DoctorFacts.HomeFacts {
        var facts = DoctorFacts.HomeFacts(
            path: home.path, exists: access(home.path, F_OK) == 0)
        guard facts.exists else { return facts }
        facts.isWritable = access(home.path, W_OK) == 0
        var room = statvfs()
        if statvfs(home.path, &room) == 0 {
            facts.freeBytes = Int64(clamping: UInt64(room.f_bavail) * UInt64(room.f_frsize))
        }
        let secrets = [
            home.path, home.identityKey, home.nextKey, home.encryptionKeys, home.store, home.gatewayToken,
            home.journal,
        ]
        facts.secrets = (secrets + peoplesKeys(in: home)).compactMap(look(at:))
        return facts
    }

    /// What cannot be listed is said where the home itself is looked at.
    private static func peoplesKeys(in home: Home) -> [String] {
        guard case .success(let names) = Result(catching: { try FolderWork.names(in: home.path) }) else {
            return []
        }
        return names.filter(PersonKey.isNamed).map(home.file)
    }

    private static func look(at path: String) -> DoctorFacts.FileFacts? {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        return DoctorFacts.FileFacts(
            path: path, permissions: UInt16(found.st_mode & 0o777), isOwn: found.st_uid == geteuid(),
            isFolder: found.st_mode & S_IFMT == S_IFDIR)
    }

    private static func port(_ wanted: Endpoint, isChosen: Bool) -> DoctorFacts.PortFacts {
        DoctorFacts.PortFacts(wanted: wanted, isChosen: isChosen, error: error(of: wanted))
    }

    /// Why nobody could listen there now; nil when one could.
    static func error(of wanted: Endpoint) -> String? {
        guard wanted.port > 0 else { return nil }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(wanted.host, String(wanted.port), &hints, &found)
        guard status == 0, let entry = found?.pointee else { return String(cString: gai_strerror(status)) }
        defer { freeaddrinfo(found) }
        let descriptor = socket(entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        // As the agent does it: a port that only rests from a former run is free.
        var isReused: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 ? nil : String(cString: strerror(errno))
    }

    private static func names(of peers: [AgentConfiguration.StaticPeer]) async -> [DoctorFacts.NameFacts] {
        let names = Set(peers.map(\.endpoint.host)).filter { MulticastAddress(host: $0, port: 0) == nil }
            .sorted().prefix(namesMax)
        return await withTaskGroup(of: DoctorFacts.NameFacts.self) { tasks in
            for name in names {
                tasks.addTask { await WitnessThread("name").run { look(up: name) } }
            }
            var found: [DoctorFacts.NameFacts] = []
            for await facts in tasks { found.append(facts) }
            return found.sorted { $0.name < $1.name }
        }
    }

    /// Where a name leads, by the name servers of this machine.
    static func look(up name: String) -> DoctorFacts.NameFacts {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &found)
        guard status == 0 else {
            return DoctorFacts.NameFacts(
                name: name, addresses: [], error: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var next = found
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr,
                let text = SocketAddressText.host(of: address, length: entry.ai_addrlen)
            else { continue }
            if !addresses.contains(text) { addresses.append(text) }
        }
        return DoctorFacts.NameFacts(name: name, addresses: addresses, error: nil)
    }

    /// Asks the daemon itself, as the agent would.
    private static func avahi() async -> DoctorFacts.AvahiFacts {
        let (answers, answer) = AsyncStream.makeStream(of: DoctorFacts.AvahiFacts.self)
        let witness: AvahiWitness
        do throws(AvahiFailure) {
            witness = try AvahiWitness(announcing: nil) { event in
                switch event {
                case .running: answer.yield(.running)
                case .unavailable(let reason): answer.yield(.unavailable(reason))
                default: break
                }
            }
        } catch {
            return .unavailable("\(error)")
        }
        let alarm = Task {
            do {
                try await Task.sleep(for: avahiPatience)
            } catch {
                return
            }
            answer.yield(.unavailable("it does not answer"))
        }
        var next = answers.makeAsyncIterator()
        let first = await next.next()
        alarm.cancel()
        await WitnessThread("avahi").run { witness.close() }
        return first ?? .unavailable("it does not answer")
    }
}
