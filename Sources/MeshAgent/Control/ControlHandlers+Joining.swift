import MeshAgreements
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust
import MeshWire

// Joining under somebody's invite.
extension ControlHandlers {
    func join(_ request: Join.Request) async throws(ControlFailure) -> JoinProgress {
        let invite = try Self.invite(request.line)
        let command = NodeCommand.join(
            JoinRequest(
                inviter: invite.inviter, endpoints: invite.endpoints, secret: invite.secret,
                expires: invite.expires))
        let plane = plane
        return try await patiently(request.waitMilliseconds) { () async throws(ControlFailure) in
            let outcome = await joins.outcome(of: invite, isFirst: request.known == nil) {
                await plane.command(command)
            }
            let progress = try await progress(outcome, invite)
            return (progress, progress.stage != request.known)
        }
    }

    private func progress(_ outcome: JoinBook.Outcome, _ invite: Invite) async throws(ControlFailure)
        -> JoinProgress
    {
        switch outcome {
        case .refused(let reasons): throw ControlFailure(reasons)
        case .underWay:
            let places = invite.endpoints.map(\.description).joined(separator: ", ")
            return await plane.report { writer in
                JoinProgress(
                    stage: .dialling, peer: writer.reference(invite.inviter), words: [],
                    waitingFor: "\(places) to answer")
            }
        case .joined(let id):
            guard let progress = await plane.report({ $0.settling(of: id) }) else {
                throw ControlFailure(Refusal(.peerNotTrusted, [Fact("node", id)]))
            }
            return progress
        }
    }

    /// - Throws: `invite-malformed`, with what is wrong with the line; never the line, which holds a secret.
    private static func invite(_ line: String) throws(ControlFailure) -> Invite {
        let problem: String
        do throws(WireError) {
            let invite = try InviteLine.decode(line)
            guard invite.endpoints.isEmpty else { return invite }
            problem = "it names no address"
        } catch {
            switch error {
            case .notAnInvite: problem = "it does not begin with \(InviteLine.prefix)"
            case .mistyped: problem = "a character is wrong, missing or too many"
            case .versionUnknown(let version):
                problem = "it is of version \(version), and this program reads version 1"
            case .tooLong(let bytes, let limit):
                problem = "it has \(bytes) characters, and an invite at most \(limit)"
            default: problem = "what it says is not allowed: \(error)"
            }
        }
        throw ControlFailure(Refusal(.inviteMalformed, [Fact("problem", problem)]))
    }
}

extension ReportWriter {
    /// How far a join has come since trust was made; nil when the peer is not trusted any more.
    func settling(of id: NodeID) -> JoinProgress? {
        guard let peer = node.trust.pins[id], peer.state == .trusted else { return nil }
        func progress(_ stage: JoinStage, _ waitingFor: String?) -> JoinProgress {
            JoinProgress(
                stage: stage, peer: reference(id), words: words(of: peer.pin), waitingFor: waitingFor)
        }
        guard node.gossip.link(with: id) != nil else {
            return progress(.linking, "the link to \(peer.name) to come up")
        }
        guard permit(for: .echo, at: id) != nil else {
            return progress(.agreeing, "\(peer.name) to offer echo to this node")
        }
        return progress(.done, nil)
    }
}

/// The joins under way: one attempt for each line, whoever asks and however often. It keeps no secret.
actor JoinBook {
    /// How an attempt stands.
    enum Outcome: Sendable, Equatable {
        case underWay
        case joined(NodeID)
        case refused([Refusal])
    }

    /// Attempts that are remembered; the oldest that ended goes first.
    private static let limit = 64

    private var outcomes: [InviteName: Outcome] = [:]
    private var order: [InviteName] = []

    /// How the attempt under `invite` stands; begun when there is none, or when it failed and somebody asks
    /// for the first time.
    func outcome(
        of invite: Invite, isFirst: Bool, begin: @escaping @Sendable () async -> NodeAnswer
    ) -> Outcome {
        let name = InviteName(secret: invite.secret, using: SystemSuite())
        switch outcomes[name] {
        case .underWay?: return .underWay
        case .joined(let id)?: if !isFirst { return .joined(id) }
        case .refused(let reasons)?: if !isFirst { return .refused(reasons) }
        case nil: break
        }
        keep(.underWay, as: name)
        // It outlives the request that began it: clients come and go, the attempt is the node's.
        Task { keep(Self.outcome(of: await begin()), as: name) }
        return .underWay
    }

    private func keep(_ outcome: Outcome, as name: InviteName) {
        if outcomes.updateValue(outcome, forKey: name) == nil { order.append(name) }
        guard order.count > Self.limit, let ended = order.firstIndex(where: { outcomes[$0] != .underWay })
        else { return }
        outcomes[order.remove(at: ended)] = nil
    }

    private static func outcome(of answer: NodeAnswer) -> Outcome {
        switch answer {
        case .joined(let node): .joined(node)
        case .refused(let reasons): .refused(reasons)
        case .done, .invited, .founded, .token, .bundle, .agreed, .domainAgreed, .vouched, .reached, .traced:
            .refused([])
        }
    }
}
