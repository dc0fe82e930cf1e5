import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshWire

// Agreements.
extension ControlHandlers {
    /// How long an offer waits to be accepted by the other side's rule before it is reported as it stands.
    private static var settlingMilliseconds: Int64 { 1_000 }

    func listAgreements() async -> AgreementsReport {
        await plane.report { AgreementsReport(agreements: $0.agreements, house: $0.house) }
    }

    func showAgreement(_ request: ShowAgreement.Request) async throws(ControlFailure) -> AgreementDetail {
        try (await plane.report { $0.agreementReport(request.id) }).orFail(list: Self.list)
    }

    func makeOffer(_ request: MakeOffer.Request) async throws(ControlFailure) -> AgreementReport {
        try Self.check(life: request.seconds)
        if request.toDomain || request.fromDomain { return try await makeDomainOffer(request) }
        let peer = try await peer(request.to)
        let grant = Grant(
            resource: request.resource,
            capabilities: request.capabilities.isEmpty ? nil : request.capabilities,
            namespaces: request.namespaces)
        let record = try await offer(
            OfferRequest(
                peer: peer, grants: [grant], conditions: request.conditions.conditions,
                approvals: ApprovalRules(
                    provider: request.approvals.map(\.role), consumer: request.approvals.map(\.role)),
                commitments: request.commitments.commitments, limits: request.limits?.limits ?? .none,
                callsAtEnd: request.callsAtEnd?.calls ?? .finish, life: .seconds(request.seconds)))
        return await settled(record)
    }

    func acceptAgreement(_ request: AcceptAgreement.Request) async throws(ControlFailure) -> AgreementReport {
        if let contentID = await domainAgreement(request.id) {
            return try await domainAgreed(.accept(contentID))
        }
        let record = try await agreed(.accept(try await record(request.id).contentID))
        return await plane.report { $0.report(of: record) }
    }

    func rejectAgreement(_ request: RejectAgreement.Request) async throws(ControlFailure) -> AgreementReport {
        if let contentID = await domainAgreement(request.id) {
            return try await domainAgreed(.reject(contentID))
        }
        let record = try await agreed(.reject(try await record(request.id).contentID))
        return await plane.report { $0.report(of: record) }
    }

    /// It holds here when this answers; that the peer has it is waited for as after an offer.
    func revokeAgreement(_ request: RevokeAgreement.Request) async throws(ControlFailure) -> AgreementReport {
        if let contentID = await domainAgreement(request.id) {
            return try await domainAgreed(
                .revoke(RevocationOrder(contentID: contentID, orderedBy: .local, reason: request.reason)))
        }
        let order = RevocationOrder(
            contentID: try await record(request.id).contentID, orderedBy: .local, reason: request.reason)
        return await settled(try await agreed(.revoke(order))) { record in
            guard case .ended(.revoked(_, isHeard: false)) = record.state else { return true }
            return false
        }
    }

    func renewAgreement(_ request: RenewAgreement.Request) async throws(ControlFailure) -> AgreementReport {
        if await domainAgreement(request.id) != nil { return try await renewDomainAgreement(request) }
        let record = try await record(request.id)
        let agreement = record.agreement
        let before = (agreement.validUntil - agreement.created).wholeMilliseconds / 1_000
        let seconds = request.seconds ?? before
        try Self.check(life: seconds)
        let offered = try await offer(
            OfferRequest(
                peer: record.peer, grants: agreement.grants, conditions: agreement.conditions ?? .none,
                approvals: agreement.approvals, commitments: agreement.commitments,
                limits: agreement.limits ?? .none,
                callsAtEnd: agreement.callsAtEnd ?? .finish, life: .seconds(seconds),
                replaces: agreement.id))
        return await settled(offered)
    }

    func compareAgreements(
        _ request: CompareAgreements.Request
    ) async throws(ControlFailure) -> AgreementComparison {
        let (first, second) = (try await record(request.first), try await record(request.second))
        return await plane.report { $0.comparison(of: first, with: second) }
    }

    func exportAgreement(
        _ request: ExportAgreement.Request
    ) async throws(ControlFailure) -> ExportAgreement.Response {
        if let document = try await exportedDomainAgreement(request) { return document }
        let record = try await record(request.id)
        switch request.form {
        case .odrl:
            let state = await plane.report { $0.state(of: record) }
            return .init(document: try ControlCoding.document(ODRLPolicy(record.agreement, state)))
        case .evidence:
            let keys = await plane.report { $0.keys(of: record) }
            do throws(WireError) {
                let bytes = try Document.encode(AgreementEvidence(record, keys: keys))
                return .init(document: String(decoding: bytes, as: UTF8.self))
            } catch {
                throw ControlFailure(
                    .fault, code: "agent-fault", message: "the agreement cannot be written",
                    facts: [Fact("cause", String(describing: error))])
            }
        }
    }

    func offer(_ request: OfferRequest) async throws(ControlFailure) -> AgreementRecord {
        try await agreed(.offer(request))
    }

    /// What became of an order about an agreement.
    func agreed(_ command: NodeCommand) async throws(ControlFailure) -> AgreementRecord {
        switch await plane.command(command) {
        case .agreed(let record): return record
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "an order about an agreement")
        }
    }

    private static let list = "comity agreement list"

    /// The one agreement whose content id begins with `text`.
    func record(_ text: String) async throws(ControlFailure) -> AgreementRecord {
        try (await plane.report { $0.agreementRecord(text) }).orFail(list: Self.list)
    }

    /// The agreement as it stands once the peer has answered; without a link, or when it takes its time, as
    /// it stands then.
    func settled(
        _ record: AgreementRecord,
        when isSettled: @escaping @Sendable (AgreementRecord) -> Bool = { $0.state != .offered }
    ) async -> AgreementReport {
        let isLinked = await plane.report { $0.node.gossip.link(with: record.peer) != nil }
        let patience = isLinked ? Self.settlingMilliseconds : 0
        do throws(ControlFailure) {
            return try await patiently(patience) { () async throws(ControlFailure) in
                await plane.report { writer in
                    let current = writer.node.agreements.record(record.contentID) ?? record
                    return (writer.report(of: current), isNews: isSettled(current))
                }
            }
        } catch {
            return await plane.report { $0.report(of: record) }
        }
    }

    static func check(life seconds: Int64) throws(ControlFailure) {
        let shortest = AgreementLimits.lifeMin.wholeMilliseconds / 1_000
        let longest = AgreementLimits.lifeMax.wholeMilliseconds / 1_000
        guard (shortest...longest).contains(seconds) else {
            throw .usage(
                "an offer holds for \(shortest) s at least, since it ends 5 s early, and ten years at most",
                [Fact("seconds", seconds), Fact("at least", shortest), Fact("at most", longest)])
        }
    }
}
