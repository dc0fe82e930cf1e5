import MeshAudit
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust
import MeshWire

// Invites of this node.
extension ControlHandlers {
    /// Addresses that one line carries.
    private static var endpointsPerLine: Int { 4 }
    /// Events of invites that are looked through for how one ended.
    private static var historyMax: Int { 1_000 }
    /// Above it a line could not say when it ends (2106).
    private static var lifeMax: Int64 { 366 * 24 * 3_600 }

    func createInvite(_ request: CreateInvite.Request) async throws(ControlFailure) -> InviteReport {
        guard (1...Self.lifeMax).contains(request.expiresSeconds) else {
            throw .usage(
                "an invite holds from one second to a year",
                [Fact("seconds", request.expiresSeconds), Fact("at most", Self.lifeMax)])
        }
        let command = NodeCommand.invite(
            secret: Octets(SystemRandom.bytes(16)), life: .seconds(request.expiresSeconds),
            confirmation: request.ask ? .asked : .none)
        switch await plane.command(command) {
        case .invited(let name, let secret, let expires):
            do throws(WireError) {
                let inviter = await plane.report { $0.me }
                let line = try Self.line(inviter, surroundings.reachable, secret, expires)
                return InviteReport(line: line, inviteID: name.text, expires: Timestamp(expires))
            } catch {
                try await order(.withdrawInvite(name))
                throw ControlFailure(
                    .fault, code: "agent-fault", message: "the invite cannot be written as one line",
                    facts: [Fact("cause", String(describing: error))], next: "comity config show")
            }
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "invite")
        }
    }

    /// The line with as many addresses as fit: long host names take the room of several.
    static func line(
        _ inviter: NodeID, _ endpoints: [Endpoint], _ secret: Octets, _ expires: WallTime
    ) throws(WireError) -> String {
        var carried = Array(endpoints.prefix(endpointsPerLine))
        while true {
            do throws(WireError) {
                return try InviteLine.encode(
                    Invite(inviter: inviter, endpoints: carried, secret: secret, expires: expires))
            } catch {
                guard case .tooLong = error, carried.popLast() != nil else { throw error }
            }
        }
    }

    func awaitInvite(_ request: AwaitInvite.Request) async throws(ControlFailure) -> InviteProgress {
        try await patiently(request.waitMilliseconds) { () async throws(ControlFailure) in
            let progress = try await progress(ofInvite: request.inviteID)
            return (progress, progress.state != request.known)
        }
    }

    func answerInvite(_ request: AnswerInvite.Request) async throws(ControlFailure) -> InviteProgress {
        guard let name = InviteName(text: request.inviteID) else { throw Self.noSuchInvite(request.inviteID) }
        guard let joiner = await plane.confirmations[name] else {
            throw ControlFailure(
                Refusal(
                    .inviteUnknown, [Fact("invite", request.inviteID), Fact("who asks to join", "nobody")]))
        }
        try await order(.confirm(name, by: joiner.pin, request.accept ? .yes : .no))
        return try await progress(ofInvite: request.inviteID)
    }

    private func progress(ofInvite id: String) async throws(ControlFailure) -> InviteProgress {
        guard let name = InviteName(text: id) else { throw Self.noSuchInvite(id) }
        let asking = await plane.confirmations[name].map { (pin: $0.pin, name: $0.name) }
        if let open = await plane.report({ $0.progress(of: name, askedBy: asking) }) { return open }
        return try await end(of: name, id)
    }

    /// An invite that is gone: the audit knows what became of it, and how it was used.
    private func end(of name: InviteName, _ id: String) async throws(ControlFailure) -> InviteProgress {
        let query = AuditQuery(type: .trust, limit: Self.historyMax)
        let told = try await trail.answers(query).map(\.event).filter { event in
            event.action == "invite" && event.metadata.contains(Fact("invite", name))
        }
        guard let last = told.first else { throw Self.noSuchInvite(id) }
        let words = told.compactMap { event in event.metadata.first { $0.name == "what" }?.value }
        let user = await plane.report { writer in
            writer.node.trust.pins.peers.values.first { peer in
                words.contains { $0.hasSuffix(" \(peer.pin)") }
            }
            .map { (NodeReference(name: $0.name, id: $0.node), writer.words(of: $0.pin)) }
        }
        let state: InviteState =
            user != nil ? .joined : words.first?.hasPrefix("expired") ?? false ? .expired : .ended
        return InviteProgress(
            state: state, peer: user?.0, words: user?.1 ?? [], expires: Timestamp(last.time))
    }

    private static func noSuchInvite(_ id: String) -> ControlFailure {
        ControlFailure(Refusal(.inviteUnknown, [Fact("invite", String(id.prefix(64)))]))
    }
}

extension ReportWriter {
    /// How an invite that is not over stands; nil when there is none of this name.
    /// - Parameter joiner: who proved the secret and waits for the operator; nil when nobody does.
    func progress(of name: InviteName, askedBy joiner: (pin: Pin, name: NodeName)?) -> InviteProgress? {
        guard let invite = node.trust.invites.invites[name] else { return nil }
        let expires = Timestamp(invite.expires)
        let user = invite.usedBy.flatMap { pin in node.trust.pins.peers.values.first { $0.pin == pin } }
        if let user, user.state == .trusted {
            return InviteProgress(
                state: .joined, peer: reference(user.node), words: words(of: user.pin), expires: expires)
        }
        if now.wall >= invite.expires {
            return InviteProgress(state: .expired, peer: nil, words: [], expires: expires)
        }
        guard invite.confirmation == .asked, let joiner else {
            return InviteProgress(state: .open, peer: nil, words: [], expires: expires)
        }
        // Its first key is its node ID, and a newcomer shows its first key.
        let peer = NodeReference(name: joiner.name, id: NodeID(joiner.pin.digest))
        return InviteProgress(state: .asking, peer: peer, words: words(of: joiner.pin), expires: expires)
    }
}

extension InviteName {
    /// As reports name an invite: 16 hexadecimal digits.
    var text: String { Hexadecimal.encode(octets.bytes) }

    /// Nil unless `text` is what `text` gives.
    init?(text: String) {
        guard text.utf8.count == 16, let bytes = Hexadecimal.decode(text) else { return nil }
        self.init(Octets(bytes))
    }
}
