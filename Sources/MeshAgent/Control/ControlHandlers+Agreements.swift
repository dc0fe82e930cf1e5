import MeshAgreements
import MeshBase
import MeshControl
import MeshNode

// Agreements.
extension ControlHandlers {
    /// How long an offer waits to be accepted by the other side's rule before it is reported as it stands.
    private static var settlingMilliseconds: Int64 { 1_000 }

    func listAgreements() async -> AgreementsReport {
        await plane.report { AgreementsReport(agreements: $0.agreements, house: $0.house) }
    }

    func showAgreement(_ request: ShowAgreement.Request) async throws(ControlFailure) -> AgreementDetail {
        try (await plane.report { $0.agreementReport(request.id) }).orFail()
    }

    func makeOffer(_ request: MakeOffer.Request) async throws(ControlFailure) -> AgreementReport {
        try Self.check(life: request.seconds)
        let peer = try await peer(request.to)
        let grant = Grant(
            resource: request.resource,
            capabilities: request.capabilities.isEmpty ? nil : request.capabilities)
        let record = try await offer(
            OfferRequest(
                peer: peer, grants: [grant], conditions: request.conditions.conditions,
                life: .seconds(request.seconds)))
        return await settled(record)
    }

    func offer(_ request: OfferRequest) async throws(ControlFailure) -> AgreementRecord {
        switch await plane.command(.offer(request)) {
        case .agreed(let record): return record
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "offer")
        }
    }

    /// The agreement as it stands once the peer has answered; without a link, or when it takes its time, as
    /// it stands then.
    func settled(_ record: AgreementRecord) async -> AgreementReport {
        let isLinked = await plane.report { $0.node.gossip.link(with: record.peer) != nil }
        let patience = isLinked ? Self.settlingMilliseconds : 0
        do throws(ControlFailure) {
            return try await patiently(patience) { () async throws(ControlFailure) in
                await plane.report { writer in
                    let current = writer.node.agreements.record(record.contentID) ?? record
                    return (writer.report(of: current), isNews: current.state != .offered)
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
