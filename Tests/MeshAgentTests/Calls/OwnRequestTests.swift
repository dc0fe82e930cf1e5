import MeshBase
import MeshNode
import MeshRouting
import NIOCore
import Testing

@testable import MeshAgent
@testable import MeshGateway

@Suite("One request of an application")
struct OwnRequestTests {
    private func request(_ body: String, _ delivery: BodyDelivery = .whole) -> OwnRequest {
        let form = RequestBody.whole(length: Int64(body.utf8.count), digest: .zero)
        let asked = GatewayRequest(
            id: GatewayRequestID(connection: 1, sequence: 1), transport: .port,
            form: .mesh(method: "POST", path: "/", query: nil), peer: "any", resource: "orders",
            headers: [], claimedPrincipal: nil, purpose: nil, deadline: nil, idempotencyKey: nil,
            stickyKey: nil, traceparent: nil, body: ByteBuffer(string: body), delivery: delivery,
            bodyLength: nil, arrival: .now(), awaitsInvitation: false)
        let provider = Provider(node: NodeID(Digest.zero), name: "p")
        let gathering = FanOut(
            [(provider: provider, call: RequestID(1))], givingUpBy: { _ in }, finishingBy: { _ in },
            within: FanOutRoom())
        return OwnRequest(
            RequestID(1), asked, delivery == .whole ? form : .streamed(length: nil),
            answering: .fanOut(gathering, part: 0), tell: { _ in })
    }

    /// Takes all that it is given.
    private final class Taker: BodyTaker {
        var taken = ""
        var isEnded = false

        func take(_ piece: ByteBuffer) -> Bool {
            taken += String(buffer: piece)
            return true
        }

        func end(trailers: [HeaderField]) { isEnded = true }
    }

    @Test("gives its first attempt the feed that it has, and each other one of its own, with the whole body")
    func feeds() {
        let request = request("words")
        let form = request.feed.form
        let feeds = (0..<3).map { _ in request.feed(for: form) }
        #expect(feeds[0] === request.feed)
        #expect(feeds[1] !== feeds[0] && feeds[2] !== feeds[1] && feeds[2] !== feeds[0])
        let takers = feeds.map { _ in Taker() }
        for (feed, taker) in zip(feeds, takers) { #expect(feed.attach(taker)) }
        #expect(takers.map(\.taken) == ["words", "words", "words"])
        #expect(takers.allSatisfy { $0.isEnded })
    }

    @Test("gives a body that passes as it comes to one attempt after the other")
    func streamed() {
        let request = request("words", .continued)
        let form = request.feed.form
        #expect(request.feed(for: form) === request.feed)
        #expect(request.feed(for: form) === request.feed)
    }
}
