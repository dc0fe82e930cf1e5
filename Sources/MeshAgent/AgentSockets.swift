import Logging
import MeshBase
import MeshControl
import MeshCredentials
import MeshGateway
import MeshLink
import MeshNode
import MeshStore
import MeshTrust
import NIOCore
import Synchronization

/// Where an agent can be reached: the link port, the gateway's port and socket, the control socket's path,
/// the witnesses.
struct AgentSockets: Sendable {
    let transport: LinkTransport
    let gateway: GatewayServer
    let discovery: DiscoveryShell
    let controlPath: ControlSocketPath
    private let firstCertificate: NodeCertificate
    /// The transport holds it unowned by anybody else.
    private let shell: LinkShell

    static func open(
        on ground: AgentGround, _ reading: ConfigurationReading, _ environment: [String: String],
        _ surroundings: Surroundings
    ) async throws -> AgentSockets {
        let configuration = reading.configuration
        let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.isEmpty ? nil : $0 }
        let home = surroundings.sources.home
        let controlPath = ControlSocketPath(home: home.path, name: "control.sock", runtimeFolder: runtime)
        let gatewayPath = ControlSocketPath(home: home.path, name: "gateway.sock", runtimeFolder: runtime)
        try gatewayPath.prepare()
        let certificate = try NodeCertificate.issue(
            for: ground.identity.own.node, by: ground.identity.key, at: SystemClock.now().wall)
        surroundings.show(certificate)
        let shell = LinkShell(inputs: ground.inputs, calls: ground.calls)
        let transport = try LinkTransport(
            group: ground.group, credentials: LinkCredentials(certificate), observer: shell)
        let link = try await PortChoice(ground.store, setting: "port.link").open(
            configuration.listen, isChosen: reading.origin(of: "listen") != .standard
        ) { endpoint in try await transport.listen(on: endpoint) }
        let gateway = try await openGateway(on: ground, reading, home, socketPath: gatewayPath.socket)
        ground.calls.transport.withLock { $0 = transport }
        ground.calls.inputs.withLock { $0 = ground.inputs }
        surroundings.listen(
            link: link, advertised: configuration.advertise, gateway: gateway.endpoint,
            gatewaySocket: gatewayPath.inHome,
            control: controlPath.inHome)
        ground.inputs.post(.listens(ListeningNotice(port: link.port, advertised: configuration.advertise)))
        let sign = PairingSign()
        let name = ground.identity.own.name
        await ground.plane.announcePairing { window in sign.show(window == .announced ? name : nil) }
        await ground.plane.start(over: transport, shell)
        // Behind what was stored: a member does nothing by a token.
        if let token = ground.token { ground.inputs.post(.enrolmentOrdered(token)) }
        let discovery = DiscoveryShell(
            DiscoveryShell.witnesses(
                of: ground.identity.own.node, link: link, configuration, environment, sign, surroundings),
            inputs: ground.inputs, surroundings: surroundings, log: ground.log)
        discovery.start()
        return AgentSockets(
            transport: transport, gateway: gateway, discovery: discovery, controlPath: controlPath,
            firstCertificate: certificate, shell: shell)
    }

    private static func openGateway(
        on ground: AgentGround, _ reading: ConfigurationReading, _ home: Home, socketPath: String
    ) async throws -> GatewayServer {
        let wanted = reading.configuration.gateway.listen
        let choice = PortChoice(ground.store, setting: "port.gateway")
        let access = try gatewayAccess(reading.configuration.gateway, home)
        var server: GatewayServer?
        _ = try await choice.open(wanted, isChosen: reading.origin(of: "gateway.listen") != .standard) {
            endpoint in
            var gateway = GatewayConfiguration(endpoint: endpoint, socketPath: socketPath, access: access)
            gateway.cause = { CodeBook.entry(for: $0).cause }
            gateway.connectionLimit = OpenFiles.now.gatewayConnections
            let made = try await GatewayServer.start(gateway, on: ground.group, observer: ground.calls)
            server = made
            return made.endpoint ?? endpoint
        }
        guard let server else { preconditionFailure("a gateway that listens was made") }
        return server
    }

    private static func gatewayAccess(
        _ gateway: AgentConfiguration.Gateway, _ home: Home
    ) throws(CredentialError) -> GatewayAccess {
        switch gateway.access {
        case .open: return .open
        case .token:
            let token = try AccessToken.prepare(at: home.gatewayToken)
            return .token(digest: token.digest) { SystemSuite().digest($0) }
        }
    }

    /// Issues a new node certificate at two thirds of the old one's life, until the task is cancelled.
    ///
    /// By the wall clock, which may jump: so it looks often, and a certificate that the clock, put back, has
    /// not reached yet is replaced at once. No peer would take it.
    func keepFresh(_ ground: AgentGround, _ surroundings: Surroundings) async {
        var certificate = firstCertificate
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(10))
                guard certificate.isDueForRenewal(at: SystemClock.now().wall) else { continue }
                certificate = try NodeCertificate.issue(
                    for: ground.identity.own.node, by: ground.identity.key, at: SystemClock.now().wall)
                try transport.renew(LinkCredentials(certificate))
                surroundings.show(certificate)
            } catch is CancellationError {
                return
            } catch {
                ground.log.error("the node certificate cannot be renewed", metadata: ["cause": "\(error)"])
            }
        }
    }
}

extension LinkCredentials {
    init(_ certificate: NodeCertificate) {
        self.init(certificate: certificate.certificate, privateKey: certificate.privateKey)
    }
}

/// Which port to listen on when nobody chose one: the one of last time, else the usual one, else the next
/// free one, remembered.
struct PortChoice {
    private let store: Store
    private let setting: String

    /// How many ports are tried behind the first.
    private static let tries: UInt16 = 100

    init(_ store: Store, setting: String) {
        self.store = store
        self.setting = setting
    }

    /// Opens `wanted`; when it was not chosen by somebody, what was remembered or the next free port.
    func open(
        _ wanted: Endpoint, isChosen: Bool, _ open: (Endpoint) async throws -> Endpoint
    ) async throws -> Endpoint {
        if isChosen || wanted.port == 0 { return try await open(wanted) }
        let remembered = try store.load().settings.first { $0.key == setting }.flatMap { UInt16($0.value) }
        let first = remembered ?? wanted.port
        var lastError: (any Error)?
        for port in first..<(first + Self.tries) {
            do {
                let opened = try await open(Endpoint(host: wanted.host, port: port))
                if port != remembered {
                    try store.commit([.putSetting(SettingRow(key: setting, value: String(port)))])
                }
                return opened
            } catch {
                lastError = error
            }
        }
        throw lastError ?? AgentFailure.cannotListen(wanted, cause: "no port is free")
    }
}
