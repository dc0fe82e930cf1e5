import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// Calls under way when their agreement is revoked. Where it says `finish`, they go on until their own
/// deadline; where it says `cut`, each side ends its part at once and names the revocation. Those that began
/// under a version which a renewal replaced went on, and end with the version that is revoked. The end of an
/// agreement's time cuts nothing: it is asked when a call begins.
extension CallDesk {
    /// Ends what is under way under agreements that were revoked since `before`, and say so.
    mutating func cutOff(since before: CallView, at now: Moment, into effects: inout Outbox<CallEffect>) {
        for (peer, index) in view.agreements where !index.cut.isEmpty {
            cutOff(index, since: before.agreements[peer], at: now, into: &effects)
        }
        cutOff(view.domainAgreements, since: before.domainAgreements, at: now, into: &effects)
    }

    private mutating func cutOff(
        _ index: AgreementIndex, since before: AgreementIndex?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let known = before?.cut ?? []
        for contentID in index.cut where !known.contains(contentID) {
            let ended = index.terms.first { $0.contentID == contentID }
            cut(index.versions(of: contentID), ended, at: now, into: &effects)
        }
    }

    private mutating func cut(
        _ versions: [Digest], _ terms: AgreementTerms?, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let terms else { return }
        let facts = [
            Fact("agreement", terms.agreement.id), Fact("version", terms.agreement.version),
            Fact(Self.callsUnderWay, terms.callsUnderWay.rawValue),
        ]
        let refusal = Refusal(.agreementEnded, facts + terms.ending)
        for key in services.filter({ versions.contains($1.agreement) }).map(\.key).sorted() {
            effects.post(.stop(.inbound(key)))
            serviceFailed(key, [refusal], .possible, at: now, into: &effects)
        }
        for id in attempts.filter({ $1.agreement.map(versions.contains) == true }).map(\.key).sorted() {
            cutAttempt(id, because: refusal, at: now, into: &effects)
        }
    }
}

extension CallDesk {
    /// The name of the fact by which a call that was cut is told from one that was not let in.
    public static let callsUnderWay = "calls under way"

    /// Whether a call is under way under any version of the agreement of this content id: an attempt that is
    /// out, or a service.
    public func isUnderWay(_ contentID: Digest) -> Bool {
        let indices = view.agreements.values + [view.domainAgreements]
        let versions = indices.flatMap { $0.versions(of: contentID) } + [contentID]
        return services.contains { versions.contains($0.agreement) }
            || attempts.contains { $0.agreement.map(versions.contains) == true }
    }
}
