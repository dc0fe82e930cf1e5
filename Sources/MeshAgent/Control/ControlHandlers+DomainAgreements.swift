import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust
import MeshWire

// Agreements in which a domain is a party: signed by this node if it holds the role.
extension ControlHandlers {
    func makeDomainOffer(_ request: MakeOffer.Request) async throws(ControlFailure) -> AgreementReport {
        guard request.approvals.isEmpty else {
            throw .usage(
                "an agreement of a domain asks for no approvals", [Fact("approvals", request.approvals.count)]
            )
        }
        let provider: AgreementParty =
            request.fromDomain
            ? .domain(try (await plane.report { $0.ownDomain }).orFail())
            : .node(await plane.report { $0.me })
        let consumer: AgreementParty =
            request.toDomain
            ? .domain(try (await plane.report { $0.domain(named: request.to) }).orFail())
            : .node(try await peer(request.to))
        let grant = Grant(
            resource: request.resource,
            capabilities: request.capabilities.isEmpty ? nil : request.capabilities,
            namespaces: request.namespaces)
        return try await domainAgreed(
            .offerForDomain(
                DomainOfferRequest(
                    provider: provider, consumer: consumer, grants: [grant],
                    conditions: request.conditions.conditions, commitments: request.commitments.commitments,
                    limits: request.limits?.limits ?? .none,
                    callsAtEnd: request.callsAtEnd?.calls ?? .finish, life: .seconds(request.seconds))))
    }

    /// Offers the next version of one, alike but for its time.
    func renewDomainAgreement(
        _ request: RenewAgreement.Request
    ) async throws(ControlFailure) -> AgreementReport {
        let found = await plane.report { $0.domainAgreementRecord(request.id.lowercased()) }
        guard let agreement = found?.agreement else {
            throw ControlFailure(Refusal(.nothingFound, [Fact("given", String(request.id.prefix(64)))]))
        }
        let before = (agreement.validUntil - agreement.created).wholeMilliseconds / 1_000
        let seconds = request.seconds ?? before
        try Self.check(life: seconds)
        return try await domainAgreed(
            .offerForDomain(
                DomainOfferRequest(
                    provider: agreement.source, consumer: agreement.target, grants: agreement.grants,
                    conditions: agreement.conditions ?? .none, commitments: agreement.commitments,
                    limits: agreement.limits ?? .none, callsAtEnd: agreement.callsAtEnd ?? .finish,
                    life: .seconds(seconds), replaces: agreement.id)))
    }

    /// One of them in a form for others; nil when the id is none of theirs.
    func exportedDomainAgreement(
        _ request: ExportAgreement.Request
    ) async throws(ControlFailure) -> ExportAgreement.Response? {
        guard let record = await plane.report({ $0.domainAgreementRecord(request.id.lowercased()) }) else {
            return nil
        }
        switch request.form {
        case .odrl:
            let state = await plane.report { $0.state(of: record) }
            return .init(document: try ControlCoding.document(ODRLPolicy(record.agreement, state)))
        case .evidence:
            do throws(WireError) {
                let bytes = try Document.encode(record.content)
                return .init(document: String(decoding: bytes, as: UTF8.self))
            } catch {
                throw ControlFailure(
                    .fault, code: "agent-fault", message: "the agreement cannot be written",
                    facts: [Fact("cause", String(describing: error))])
            }
        }
    }

    /// The agreement of a domain whose content id begins with `text`; nil when there is none, or another.
    func domainAgreement(_ text: String) async -> Digest? {
        await plane.report { $0.domainAgreementRecord(text.lowercased())?.contentID }
    }

    /// What became of an order about an agreement of a domain.
    func domainAgreed(_ command: NodeCommand) async throws(ControlFailure) -> AgreementReport {
        switch await plane.command(command) {
        case .domainAgreed(let record): return await plane.report { $0.report(of: record) }
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "an order about an agreement of a domain")
        }
    }
}
