import Foundation
import MeshAudit
import MeshBase
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("What a trusted peer can make a node do")
struct NodeBoundsTests {
    private let correlation = CorrelationID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)

    private func linked() -> NodeTable {
        var table = NodeTable("a", "b")
        table.join(1)
        return table
    }

    private func answers(of table: NodeTable, _ place: Int) -> [MeshNode.TraceAnswer] {
        table.places[place].effects.compactMap { effect in
            if case .send(_, .traceAnswer(let answer)) = effect { return answer }
            return nil
        }
    }

    @Test("a trace's answer fits a frame, however long its events are")
    func answerFits() throws {
        var table = linked()
        let fact = Fact("reason", String(repeating: "x", count: 250))
        let event = AuditEvent(
            type: .service, correlation: correlation, source: table.id(0), target: table.id(1),
            action: "invoke", success: false,
            refusals: [Refusal(.overloaded, Array(repeating: fact, count: 24))])
        table.places[1].found = Array(repeating: event, count: 16)
        let ticket = table.command(0, .trace(correlation, at: table.id(1)))
        table.pass(.milliseconds(20))
        let answer = try #require(answers(of: table, 1).first)
        let bytes = SimulatedSuite().encoded(answer).count
        #expect(bytes < Limits.framePayload - 1_024)
        #expect((1..<16).contains(answer.events.count))
        #expect(table.places[0].answers[ticket] == .traced(answer.events))
    }

    @Test("at most four of a peer's questions wait for the audit, and later ones are answered again")
    func questionsAreFew() throws {
        var table = linked()
        let connection = try #require(table.places[1].links[table.id(0)])
        func ask(_ count: Int) {
            for number in 1...count {
                let request = TraceRequest(number: Int64(number), correlation: correlation)
                table.tell(1, .documentArrived(connection, .traceRequest(request)))
            }
        }
        ask(20)
        table.pass(.milliseconds(20))
        #expect(answers(of: table, 1).count == 4)
        #expect(table.places[1].events.contains { $0.refusals.first?.code == .limitReached })
        ask(1)
        table.pass(.milliseconds(20))
        #expect(answers(of: table, 1).count == 5)
    }

    @Test("a peer is told of no event in which it took no part")
    func othersStayUntold() throws {
        var table = linked()
        func event(_ target: NodeID) -> AuditEvent {
            AuditEvent(
                type: .call, correlation: correlation, source: table.id(1), target: target, action: "invoke",
                success: true)
        }
        let shared = event(table.id(0))
        table.places[1].found = [event(SimulatedKey(77).node), shared]
        table.command(0, .trace(correlation, at: table.id(1)))
        table.pass(.milliseconds(20))
        #expect(answers(of: table, 1).map(\.events) == [[shared]])
    }

    @Test("a peer is told nothing of what else this node weighed for a call of both")
    func weighedStaysHere() throws {
        var table = linked()
        let other = Fact("candidate c", "score 7")
        let types: [AuditEventType] = [.attempt, .service, .call]
        table.places[1].found = types.map { type in
            AuditEvent(
                type: type, correlation: correlation, source: table.id(1), target: table.id(0),
                action: "invoke", success: false, refusals: [Refusal(.peerUnreachable, [other])],
                metadata: [other])
        }
        table.command(0, .trace(correlation, at: table.id(1)))
        table.pass(.milliseconds(20))
        let told = try #require(answers(of: table, 1).first).events
        #expect(told.map(\.type) == types)
        #expect(told.allSatisfy { $0.metadata.isEmpty })
        #expect(told.last?.refusals == [Refusal(.peerUnreachable)])
    }

    @Test("a trace is answered by whom it was asked of, and by nobody else")
    func answersComeFromTheAsked() throws {
        var table = NodeTable("a", "b", "c")
        table.join(1)
        table.join(2)
        let other = try #require(table.places[0].links[table.id(2)])
        let ticket = table.command(0, .trace(correlation, at: table.id(1)))
        for case .send(_, .traceRequest(let request)) in table.places[0].effects {
            let answer = MeshNode.TraceAnswer(number: request.number, events: [])
            table.tell(0, .documentArrived(other, .traceAnswer(answer)))
        }
        #expect(table.places[0].answers[ticket] == nil)
        table.pass(.milliseconds(20))
        #expect(table.places[0].answers[ticket] == .traced([]))
    }

    @Test("a peer that says it listens on no port is believed nothing")
    func noPort() throws {
        var table = linked()
        let connection = try #require(table.places[0].links[table.id(1)])
        let notice = ListeningNotice(port: 0, advertised: [])
        table.tell(0, .documentArrived(connection, .listening(notice)))
        table.pass(.milliseconds(20))
        #expect(!table.places[0].shelf.endpoints.contains { $0.endpoint.port == 0 })
    }

    @Test("a peer that tells more addresses than it may is believed the first four")
    func fewAddressesAtOnce() throws {
        var table = linked()
        let connection = try #require(table.places[0].links[table.id(1)])
        let told = (1...8).map { #""198.51.100.\#($0):7410""# }.joined(separator: ",")
        let notice = try JSONDecoder().decode(
            ListeningNotice.self, from: Data(#"{"port":7410,"advertised":[\#(told)]}"#.utf8))
        #expect(notice.advertised.count == 8)
        table.tell(0, .documentArrived(connection, .listening(notice)))
        let kept = table.places[0].shelf.endpoints.filter { $0.endpoint.host.hasPrefix("198.51.100.") }
        #expect(kept.count == ListeningNotice.advertisedMax)
    }

    @Test("of where a peer says it listens, the last eight are kept")
    func placesAreFew() throws {
        var table = linked()
        let connection = try #require(table.places[0].links[table.id(1)])
        for port in 5_000..<5_040 as Range<UInt16> {
            let notice = ListeningNotice(port: port, advertised: [])
            table.tell(0, .documentArrived(connection, .listening(notice)))
        }
        table.pass(.milliseconds(20))
        let kept = table.places[0].shelf.endpoints.filter { $0.node == table.id(1) }
        #expect(kept.count == Limits.endpointsPerPeer)
        #expect(kept.last?.endpoint.port == 5_039)
    }

    @Test("a peer's half of a call holds nothing of calls between others")
    func halvesAreOfBoth() throws {
        var table = linked()
        let connection = try #require(table.places[0].links[table.id(1)])
        let ticket = table.command(0, .trace(correlation, at: table.id(1)))
        guard
            case .send(_, .traceRequest(let request))? = table.places[0].effects.last(where: { effect in
                if case .send(_, .traceRequest) = effect { return true }
                return false
            })
        else { return #expect(Bool(false), "no question") }
        let third = SimulatedKey(77).node
        let invented = AuditEvent(
            type: .service, correlation: correlation, source: table.id(0), target: third, action: "invoke",
            success: true)
        let answer = MeshNode.TraceAnswer(number: request.number, events: [invented])
        table.tell(0, .documentArrived(connection, .traceAnswer(answer)))
        #expect(table.places[0].answers[ticket] == .traced([]))
    }
}
