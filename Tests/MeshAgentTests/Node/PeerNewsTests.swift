import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite("What the log says of peers")
struct PeerNewsTests {
    private let me = NodeID(Digest(Array(1...32))!)
    private let peer = NodeID(Digest(Array(2...33))!)

    private func news(
        _ type: AuditEventType, _ action: String, refusals: [Refusal] = [], facts: [Fact] = []
    ) -> PeerNews? {
        let event = AuditEvent(
            type: type, source: me, target: peer, action: action, success: refusals.isEmpty,
            refusals: refusals, metadata: facts)
        return PeerNews(event, me: me) { $0 == peer ? "market" : "?" }
    }

    @Test("names the peer, and what tells more at a glance")
    func trusted() throws {
        let facts = [Fact("note", "by an invite"), Fact("transcript", "0a"), Fact("from", "pending")]
        let news = try #require(self.news(.trust, "peer trusted", facts: facts))
        #expect(news.level == .info)
        #expect(news.message == "peer trusted")
        #expect(news.facts == ["peer": "market", "note": "by an invite"])
        let down = try #require(self.news(.link, "link down", facts: [Fact("because", "silent")]))
        #expect(down.facts == ["peer": "market", "because": "silent"])
    }

    @Test("is for debugging where something was refused, since strangers can bring that about")
    func refused() throws {
        let news = try #require(self.news(.trust, "handshake refused", refusals: [Refusal(.isMyself)]))
        #expect(news.level == .debug)
        #expect(news.facts == ["peer": "market", "code": "is-myself"])
    }

    @Test("is silent about calls, agreements and breakers, which have the audit")
    func silent() {
        for type in [AuditEventType.call, .service, .agreement, .breaker] {
            #expect(news(type, "echo") == nil)
        }
    }

    @Test("tells once that a link is up, and once that it is not")
    func once() {
        var desk = PeerNewsDesk()
        let events = ["link down", "link up", "link up", "link down", "link down", "link up"].map { action in
            AuditEvent(type: .link, source: me, target: peer, action: action, success: true)
        }
        let told = events.map { desk.isNew($0) }
        #expect(told == [false, true, false, true, false, true])
        let other = AuditEvent(type: .link, source: me, target: me, action: "link up", success: true)
        let isOtherTold = desk.isNew(other)
        #expect(isOtherTold)
    }

    @Test("names nobody where this node is meant itself")
    func own() {
        let event = AuditEvent(
            type: .trust, source: me, target: me, action: "domain created", success: true,
            metadata: [Fact("domain", "acme")])
        #expect(PeerNews(event, me: me) { _ in "?" }?.facts == ["domain": "acme"])
    }
}
