import MeshAudit
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode

/// The agent's side of the control API: an answer for every operation. It reads between two turns of the
/// node, orders through `NodeCommand`, and holds nothing itself but the joins under way.
struct ControlHandlers: Sendable {
    let plane: ControlPlane
    let calls: CallPlane
    let trail: AuditTrail
    let surroundings: Surroundings
    /// Copies this home as it is now.
    let snapshot: @Sendable () throws(BackupError) -> HomeSnapshot
    let joins = JoinBook()

    /// How long a stop waits, so that the command that asked for it is answered.
    private static let stopDelay: Duration = .milliseconds(100)

    /// The same server, answering every operation.
    func install(on server: ControlServer) -> ControlServer {
        let peers =
            server
            .on(ShowStatus.self) { (_) async throws(ControlFailure) in await status() }
            .on(ShowConfiguration.self) { (_) async throws(ControlFailure) in surroundings.configuration }
            .on(ReloadConfiguration.self) { (_) async throws(ControlFailure) in try await reload() }
            .on(SetLogLevel.self, answer: setLogLevel)
            .on(LeaveMesh.self) { (request) async throws(ControlFailure) in await leave(request) }
            .on(MakeSnapshot.self) { (_) async throws(ControlFailure) in try await makeSnapshot() }
            .on(StopAgent.self) { (_) async throws(ControlFailure) in stop() }
            .on(ListPeers.self) { (_) async throws(ControlFailure) in await listPeers() }
            .on(ShowPeer.self, answer: showPeer)
            .on(DecidePeer.self, answer: decidePeer)
            .on(CreateInvite.self, answer: createInvite)
            .on(AwaitInvite.self, answer: awaitInvite)
            .on(AnswerInvite.self, answer: answerInvite)
            .on(Join.self, answer: join)
            .on(OpenPairing.self) { (_) async throws(ControlFailure) in try await openPairing() }
            .on(AwaitPairing.self, answer: awaitPairing)
            .on(DialPairing.self, answer: dialPairing)
            .on(AnswerPairing.self, answer: answerPairing)
            .on(ClosePairing.self, answer: closePairing)
            .on(ProveReach.self, answer: proveReach)
        let domains =
            peers
            .on(CreateDomain.self, answer: createDomain)
            .on(MakeToken.self, answer: makeToken)
            .on(ShowDomain.self) { (_) async throws(ControlFailure) in try await showDomain() }
            .on(MoveAnchor.self, answer: moveAnchor)
            .on(ShowBundle.self) { (_) async throws(ControlFailure) in try await showBundle() }
            .on(ReadBundle.self, answer: readBundle)
            .on(ImportBundle.self, answer: importBundle)
            .on(ForgetPartner.self, answer: forgetPartner)
        return
            domains
            .on(AddResource.self, answer: addResource)
            .on(ListResources.self) { (_) async throws(ControlFailure) in await listResources() }
            .on(RemoveResource.self, answer: removeResource)
            .on(FindResources.self) { (request) async throws(ControlFailure) in await findResources(request) }
            .on(SetRoute.self, answer: setRoute)
            .on(ShowRoutes.self) { (_) async throws(ControlFailure) in
                RoutesReport(routes: await survey.routes())
            }
            .on(ShowTop.self) { (_) async throws(ControlFailure) in await survey.top() }
            .on(MakeOffer.self, answer: makeOffer)
            .on(ListAgreements.self) { (_) async throws(ControlFailure) in await listAgreements() }
            .on(ShowAgreement.self, answer: showAgreement)
            .on(AcceptAgreement.self, answer: acceptAgreement)
            .on(RejectAgreement.self, answer: rejectAgreement)
            .on(RevokeAgreement.self, answer: revokeAgreement)
            .on(RenewAgreement.self, answer: renewAgreement)
            .on(CompareAgreements.self, answer: compareAgreements)
            .on(ReplayAgreements.self, answer: replayAgreements)
            .on(TestPolicy.self, answer: testPolicy)
            .on(ExportAgreement.self, answer: exportAgreement)
            .on(PrepareApproval.self, answer: prepareApproval)
            .on(GiveApproval.self, answer: giveApproval)
            .on(VouchForPerson.self, answer: vouch)
            .on(ListPeople.self) { (_) async throws(ControlFailure) in await listPeople() }
            .on(EndVouching.self, answer: endVouching)
            .on(ListAuditEvents.self, answer: listAuditEvents)
            .on(TraceCall.self, answer: traceCall)
            .on(Explain.self, answer: explain)
    }

    /// One screen of how things stand; `comity up` prints it before anything can be asked over the socket.
    func status() async -> StatusReport {
        let facts = surroundings.facts
        let breakers = await survey.breakers()
        let trouble = await plane.storeTrouble.map { String(describing: $0) }
        let outage = calls.desk.withLock { $0.policyOutage }
        let circumstances = ReportWriter<SystemSuite>.Circumstances(
            started: facts.started, certificateEnds: facts.certificateEnds,
            listening: surroundings.listening,
            discovery: surroundings.discovery(at: SystemClock.now().instant),
            breakers: breakers,
            storeTrouble: trouble,
            policyOutage: outage.flatMap { outage in
                calls.policy.map { .init(url: $0.url, outage: outage) }
            }, crowded: survey.crowded())
        return await plane.report { $0.status(circumstances) }
    }

    func stop() -> Nothing {
        let stop = surroundings.stop
        Task {
            do {
                try await Task.sleep(for: Self.stopDelay)
            } catch {
                return
            }
            stop()
        }
        return Nothing()
    }

    // MARK: What the other handlers share

    var survey: RouteSurvey { RouteSurvey(plane: plane, calls: calls, trail: trail) }

    /// Which peer an operator means.
    func peer(_ text: String) async throws(ControlFailure) -> NodeID {
        try (await plane.report { $0.peer(text) }).orFail()
    }

    /// Orders something of which nothing but that it is done is awaited.
    func order(_ command: NodeCommand) async throws(ControlFailure) {
        let answer = await plane.command(command)
        if case .refused(let reasons) = answer { throw ControlFailure(reasons) }
    }
}

extension Ruling {
    /// What the check found; thrown as a failure of the operation when it found against it.
    /// - Parameter list: the command that shows what there is, for a name that fits nothing, or too much.
    @discardableResult
    func orFail(list: String? = nil) throws(ControlFailure) -> Value {
        switch self {
        case .allowed(let value): return value
        case .refused(let refusal):
            throw ControlFailure(refusal, next: refusal.code == .nothingFound ? list : nil)
        }
    }
}

extension ControlFailure {
    /// What the node said no to: the first reason leads, the others are named.
    init(_ reasons: [Refusal]) {
        guard let first = reasons.first else {
            self.init(.fault, code: "agent-fault", message: "the node refused and gave no reason")
            return
        }
        let others = reasons.dropFirst().flatMap { [Fact("also", $0.code.rawValue)] + $0.facts }
        self.init(Refusal(first.code, first.facts + others))
    }

    /// The node answered a command with what answers another.
    static func unfitting(_ answer: NodeAnswer, to command: String) -> ControlFailure {
        ControlFailure(
            .fault, code: "agent-fault", message: "the node's answer does not fit the command",
            facts: [Fact("command", command), Fact("answer", String(String(describing: answer).prefix(64)))])
    }

    /// The request itself is wrong.
    static func usage(_ message: String, _ facts: [Fact]) -> ControlFailure {
        ControlFailure(.usage, code: "request-malformed", message: message, facts: facts)
    }
}
