import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

extension DeskRig {
    /// What a provider says of what may be kept for a minute.
    static let minute = HeaderField("comity-keep-for", "60000")
    static let text = Octets(Array("three".utf8))

    /// A rig in which B answered `list` of `orders` a moment ago.
    static func filled() -> DeskRig {
        var rig = DeskRig()
        rig.call("B")
        rig.answerKept()
        return rig
    }

    /// Answers the last attempt that left, with what may be kept for a minute unless said otherwise.
    mutating func answerKept(_ headers: [HeaderField] = [minute], status: UInt16 = 200) {
        guard let last = sent.last else { return }
        take(.attemptAnswered(last.0, status: status, headers: headers))
        take(.attemptEnded(last.0, BodySummary(length: 5, digest: .zero), kept: Self.text))
    }

    /// The external policy engine answers what it was asked last.
    mutating func judge(_ answer: ExternalAnswer) throws {
        let tickets = effects.compactMap { effect in
            if case .judge(let ticket, _, _) = effect { ticket } else { nil }
        }
        take(.judged(try #require(tickets.last), answer))
    }

    /// How a request was answered without an attempt; nil: it was not.
    func result(of id: RequestID) -> String? {
        for case .answerAgain(id, let end, _) in effects {
            return end.headers.first { $0.name == "comity-cache" }?.value
        }
        return nil
    }

    /// What the last event says by this name.
    func lastFacts(_ name: String) -> [String] {
        ledger.events.last?.metadata.filter { $0.name == name }.map(\.value) ?? []
    }

    /// An application asks with these headers.
    @discardableResult
    mutating func ask(_ target: String, _ form: CallForm, _ headers: [HeaderField]) -> RequestID {
        let id = nextRequest()
        take(
            .requested(
                LocalRequest(
                    id: id, target: CallTarget(target)!, resource: resource("orders"), form: form,
                    headers: headers, body: .none)))
        return id
    }

    /// The headers that a peer was answered with; nil: it was not.
    func said(to key: InboundKey) -> [HeaderField]? {
        for case .respond(key, .answered(_, let headers)) in effects { return headers }
        return nil
    }
}

extension OfferedResource {
    /// The same, with answers of `list` kept.
    func keeping(_ time: KeepTime) -> OfferedResource {
        OfferedResource(
            resource: LocalResource(
                description: resource.description, url: resource.url,
                timeoutInMilliseconds: resource.timeoutInMilliseconds,
                kept: ["list", "put"].map { name in
                    KeptCapability(capability: MeshNodeTests.resource(name), time: time)
                }), offeredTo: offeredTo, toDomain: toDomain)
    }
}
