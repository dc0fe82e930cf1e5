import MeshBase
import MeshDiscovery
import MeshNode
import MeshTrust

/// Somebody on the network whom nobody trusts: hears every handshake, and has stolen the TLS key of one end
/// at a time.
struct Intruder: Sendable {
    /// What it does on a connection.
    enum Manner: Sendable, Equatable {
        /// Says what it has heard, message for message.
        case replay
        /// Says back what it is told.
        case reflect
        /// Passes on between two nodes, this pipe and that one.
        case relay(Int)
        /// Says things out of order, and what is no document.
        case garble
    }

    struct Session: Sendable {
        let end: PipeEnd
        let manner: Manner
        let presented: PresentedCertificate
        var messagesLeft = 12
    }

    static let endpoint = Endpoint(host: "10.66.6.6", port: 7411)
    static let memory = 64

    var generator: SeededGenerator
    var sessions = OrderedTable<Int, Session>()
    /// Handshake messages that crossed the network, the last first.
    private(set) var heard: [HandshakeMessage] = []
    /// Documents that the insider could send again.
    var documents: [LinkDocument] = []
    /// Whom it means to impersonate to whom, by who dials it.
    var poses = OrderedTable<Int, Int>()

    init(generator: SeededGenerator) { self.generator = generator }

    func isAt(_ endpoint: Endpoint) -> Bool { endpoint == Self.endpoint }

    func presented(over pipe: Int) -> PresentedCertificate { sessions[pipe]?.presented ?? .missing }

    mutating func overhear(_ message: HandshakeMessage) {
        if heard.count >= Self.memory { heard.removeLast() }
        heard.insert(message, at: 0)
    }

    /// Something it heard; of one kind when that is asked for.
    mutating func recall(_ isWanted: (HandshakeMessage) -> Bool = { _ in true }) -> HandshakeMessage? {
        let found = heard.filter(isWanted)
        return found.isEmpty ? nil : found[Int(generator.number(below: UInt64(found.count)))]
    }

    mutating func number(below bound: Int) -> Int { Int(generator.number(below: UInt64(max(1, bound)))) }
}

// What the intruder tries.
extension World {
    mutating func intrude() {
        guard !isCalm else { return }
        let pause = intruder.generator.duration(from: .milliseconds(500), through: .seconds(8))
        schedule(.intrude, after: pause)
        statistics.intrusions += 1
        let victim = intruder.number(below: plan.nodes)
        guard hosts[victim].agent != nil else { return }
        switch intruder.number(below: 4) {
        case 0: lure(victim)
        case 1: intrude(at: victim, .replay)
        case 2: intrude(at: victim, .reflect)
        default: intrude(at: victim, .garble)
        }
    }

    /// Announces itself under another's tag, so that the victim dials it.
    private mutating func lure(_ victim: Int) {
        guard let agent = hosts[victim].agent else { return }
        let known = agent.node.trust.pins.peers.keys.compactMap { hostOfNode[$0] }
        guard !known.isEmpty else { return }
        let other = known[intruder.number(below: known.count)]
        let hour = SightingTag.hour(of: moment(of: other).wall)
        let tag = SightingTag(of: hosts[other].node, hour: hour, using: suite)
        let key = SightingKey(witness: .mdns(interface: "eth0"), source: "intruder-\(other)")
        let sighting = Sighting(
            key: key, endpoints: [Intruder.endpoint], claim: .tag(tag), life: .seconds(30))
        intruder.poses[victim] = other
        schedule(.tell(agent.run, .sighted(sighting)), after: .milliseconds(1))
    }

    /// A victim dials the intruder, who may pass everything on to whom it poses as.
    mutating func connectToIntruder(_ dial: Dial) {
        let pipe = newPipe(
            Pipe(dialler: .agent(dial.run, dial.connection), listener: .intruder, isPairing: dial.isPairing))
        hosts[dial.run.host].agent?.pipes[dial.connection] = pipe
        let posed = intruder.poses[dial.run.host] ?? 0
        let presented = certificate(of: posed)
        var manner = Intruder.Manner.reflect
        if let second = dialAsIntruder(posed, isPairing: dial.isPairing, .relay(pipe), for: dial.run.host) {
            manner = .relay(second)
        }
        intruder.sessions[pipe] = Intruder.Session(end: .listener, manner: manner, presented: presented)
        secure(dial.connection, of: dial.run, .initiator, over: pipe, presented: presented)
    }

    private mutating func intrude(at victim: Int, _ manner: Intruder.Manner) {
        let isPairing = hosts[victim].agent?.isPairingOpen == true && intruder.number(below: 2) == 0
        guard let pipe = dialAsIntruder(victim, isPairing: isPairing, manner) else { return }
        switch manner {
        case .replay, .reflect:
            let hello = intruder.recall { if case .hello = $0 { true } else { false } }
            if let hello { transmit(.document(.handshake(hello)), over: pipe, from: .dialler) }
        case .garble:
            if intruder.number(below: 2) == 0 { transmit(.garbage, over: pipe, from: .dialler) }
            for _ in 0..<3 {
                if let message = intruder.recall() {
                    transmit(.document(.handshake(message)), over: pipe, from: .dialler)
                }
            }
        case .relay: break
        }
    }

    /// Opens a connection to a host, with a certificate that is nobody's, nobody's business, or stolen.
    private mutating func dialAsIntruder(
        _ host: Int, isPairing: Bool, _ manner: Intruder.Manner, for dialler: Int? = nil
    ) -> Int? {
        guard let agent = hosts[host].agent else { return nil }
        let connection = accept(at: host)
        let pipe = newPipe(
            Pipe(dialler: .intruder, listener: .agent(agent.run, connection), isPairing: isPairing))
        hosts[host].agent?.pipes[connection] = pipe
        intruder.sessions[pipe] = Intruder.Session(
            end: .dialler, manner: manner, presented: drawCertificate(manner, dialler))
        transmit(.secured, over: pipe, from: .dialler)
        return pipe
    }

    /// A relay has stolen the key of one end only: here it shows what is not that node's.
    private mutating func drawCertificate(_ manner: Intruder.Manner, _ dialler: Int?) -> PresentedCertificate
    {
        if tampering == .bothKeysStolen, let dialler { return certificate(of: dialler) }
        let someone = intruder.number(below: plan.nodes)
        var kind = intruder.number(below: 5)
        if case .relay = manner { kind = kind % 3 }
        switch kind {
        case 0: return .missing
        case 1: return .malformed("an extension is missing")
        case 2:
            // Another's statement on a key of its own.
            guard case .wellFormed(let facts) = certificate(of: someone) else { return .missing }
            let key = newKey().publicKey
            return .wellFormed(
                CertificateFacts(
                    certificateDigest: suite.digest(key.info.bytes), certificateKey: key,
                    notBefore: facts.notBefore,
                    notAfter: facts.notAfter, statement: facts.statement))
        case 3:
            let own = newKey()
            return .wellFormed(leaf(of: own, at: moment(of: someone).wall))
        default: return certificate(of: someone)
        }
    }

    private func certificate(of host: Int) -> PresentedCertificate {
        hosts[host].agent.map { .wellFormed($0.leaf) } ?? .missing
    }

    mutating func arriveAtIntruder(_ message: PipeMessage, over id: Int, from end: PipeEnd) {
        guard var session = intruder.sessions[id] else { return }
        if case .end = message {
            shut(id, session.end)
            intruder.sessions[id] = nil
            return
        }
        guard case .document(let document) = message, session.messagesLeft > 0 else { return }
        session.messagesLeft -= 1
        intruder.sessions[id] = session
        switch session.manner {
        case .reflect: transmit(.document(document), over: id, from: session.end)
        case .relay(let other):
            guard let far = intruder.sessions[other]?.end else { return }
            transmit(.document(document), over: other, from: far)
        case .replay, .garble:
            if let next = intruder.recall() {
                transmit(.document(.handshake(next)), over: id, from: session.end)
            }
        }
    }
}
