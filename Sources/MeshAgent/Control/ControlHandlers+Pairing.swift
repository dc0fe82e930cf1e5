import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust

// Pairing by words.
extension ControlHandlers {
    func openPairing() async throws(ControlFailure) -> PairReport {
        try await order(.pair(.open(PairingSeed(Octets(SystemRandom.bytes(32))))))
        return await plane.report { $0.pairing(window: $0.node.trust.words.windows) }
    }

    func awaitPairing(_ request: AwaitPairing.Request) async throws(ControlFailure) -> PairReport {
        // A window that is over cannot be attended; the report says so.
        _ = await plane.command(.pair(.attend))
        return try await patiently(request.waitMilliseconds) { () async throws(ControlFailure) in
            let report = await plane.report { $0.pairing(window: request.window) }
            return (report, report != request.known)
        }
    }

    func dialPairing(_ request: DialPairing.Request) async throws(ControlFailure) -> PairReport {
        guard (1...Limits.endpointsPerPeer).contains(request.to.count) else {
            throw .usage(
                "one to \(Limits.endpointsPerPeer) addresses are dialled",
                [Fact("addresses", request.to.count)])
        }
        try await require(request.window)
        try await order(.pair(.dial(request.to)))
        return await plane.report { $0.pairing(window: request.window) }
    }

    func answerPairing(_ request: AnswerPairing.Request) async throws(ControlFailure) -> PairReport {
        try await require(request.window)
        guard let bytes = WordList.bytes(of: request.words), let words = WordSum(Octets(bytes)) else {
            throw .usage(
                "four words of the list are answered to", [Fact("words", request.words.count)])
        }
        try await order(.pair(.answer(words, request.accept ? .yes : .no)))
        return await plane.report { $0.pairing(window: request.window) }
    }

    func closePairing(_ request: ClosePairing.Request) async throws(ControlFailure) -> PairReport {
        if await isOpen(request.window) { try await order(.pair(.close)) }
        return await plane.report { $0.pairing(window: request.window) }
    }

    func proveReach(_ request: ProveReach.Request) async throws(ControlFailure) -> ReachReport {
        let id = try await peer(request.peer)
        switch await plane.command(.proveReach(id)) {
        case .reached(let findings): return await plane.report { $0.reach(of: id, findings) }
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "prove reach")
        }
    }

    private func isOpen(_ window: Int64) async -> Bool {
        await plane.report { $0.node.trust.words.isOpen && $0.node.trust.words.windows == window }
    }

    private func require(_ window: Int64) async throws(ControlFailure) {
        guard await isOpen(window) else {
            throw ControlFailure(Refusal(.pairingClosed, [Fact("windows open", 0)]))
        }
    }
}

extension ReportWriter {
    /// How a window stands, and the try in it.
    func pairing(window number: Int64) -> PairReport {
        let words = node.trust.words
        let failures = words.outcomes
        guard words.windows == number else {
            let refusal = Refusal(.pairingClosed, [Fact("because", "another window was opened")])
            return PairReport(
                window: number, state: .closed, failure: ControlFailure(refusal), failures: failures)
        }
        switch (words.window, words.outcome) {
        case (nil, .trusted(let peer, let dialled)?):
            return PairReport(
                window: number, state: .paired, peer: reference(peer), address: dialled, failures: failures)
        case (nil, let outcome):
            return PairReport(
                window: number, state: .closed, failure: failure(of: outcome), failures: failures)
        case (let window?, let outcome):
            var report = PairReport(
                window: number, state: .listening, until: Timestamp(window.closes),
                seen: node.discovery.pairingSightings.map {
                    PairSighting(name: $0.name, endpoints: $0.endpoints)
                }, failure: failure(of: outcome), failures: failures)
            if let trial = window.trial {
                report.peer = reference(trial.node)
                report.address = trial.remote
                report.clockSkewSeconds = trial.skew.fractionalMilliseconds / 1_000
                report.words = trial.words.map { WordList.words(for: $0.octets.bytes) } ?? []
                report.state =
                    trial.words == nil ? .dialling : trial.consent == .yes ? .answered : .comparing
                report.failure = nil
            } else if let dial = window.dial {
                report.state = .dialling
                report.address = dial.endpoints.first
                report.failure = dial.obstacle.map { ControlFailure($0) } ?? report.failure
            }
            return report
        }
    }

    private func failure(of outcome: WordPairing.Outcome?) -> ControlFailure? {
        switch outcome {
        case .failed(let refusal, let remote)?:
            let place = remote.map { [Fact("address", $0.host)] } ?? []
            let isSaid = refusal.facts.contains { $0.name == "address" }
            return ControlFailure(Refusal(refusal.code, refusal.facts + (isSaid ? [] : place)))
        case .closed(let refusal)?: return ControlFailure(refusal)
        case .trusted?, nil: return nil
        }
    }

    /// What two nodes found of their ways to one another.
    func reach(of id: NodeID, _ findings: ReachFindings) -> ReachReport {
        ReachReport(
            peer: reference(id), inbound: findings.inbound.map(MeshControl.ReachAttempt.init),
            outbound: findings.outbound.map(MeshControl.ReachAttempt.init),
            clockSkewSeconds: node.gossip.link(with: id).map { $0.skew.fractionalMilliseconds / 1_000 })
    }
}

extension MeshControl.ReachAttempt {
    init(_ attempt: MeshNode.ReachAttempt) {
        self.init(endpoint: attempt.endpoint, because: attempt.because)
    }
}
