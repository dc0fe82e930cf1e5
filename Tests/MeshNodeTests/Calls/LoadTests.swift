import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("A resource with as much to do as it can")
struct LoadTests {
    /// Ends a call whose answer has begun, or begins it first.
    private func answer(_ key: InboundKey, _ rig: inout DeskRig) {
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        rig.take(.resourceEnded(.inbound(key), BodySummary(length: 1, digest: nil), kept: nil))
    }

    /// `stock` answered within 100 ms while it had one call, and took a second when it had twelve: half of a
    /// limit of two is tried, one call at once.
    private func crowded(_ rig: inout DeskRig) {
        for _ in 0..<8 {
            let key = rig.arrive()
            rig.now += 100
            answer(key, &rig)
        }
        let many = (0..<12).map { _ in rig.arrive() }
        rig.now += 1_000
        for key in many { answer(key, &rig) }
        #expect(standing(rig)?.limit == 1 && standing(rig)?.inHand == 0)
    }

    private func standing(_ rig: DeskRig) -> ServiceStanding? { rig.desk.standing(of: resource("stock")) }

    private func facts(_ key: InboundKey, _ rig: DeskRig) -> [Fact] {
        for case .respond(key, .refused(let refusals, let effect)) in rig.effects {
            #expect(effect == .none)
            return refusals.first?.facts ?? []
        }
        return []
    }

    @Test("a peer beyond the places of all hears of its own calls only, and of an audit without room nothing")
    func shed() {
        var rig = DeskRig()
        rig.configuration = CallConfiguration(servicesMax: 4, servicesPerPeer: 3)
        rig.publish()
        rig.arrive(from: 2)
        for _ in 0..<3 { rig.arrive() }
        let own = [Fact("at most", 4), Fact("this peer's", 3), Fact("this peer's at most", 3)]
        let key = rig.arrive()
        #expect(facts(key, rig) == own)
        let known = rig.ledger.events.last?.refusals.first?.facts
        #expect(known == [Fact("peers' calls under way", 4)] + own)
        var full = DeskRig(room: 0)
        let unheard = full.arrive()
        #expect(full.refusal(of: unheard) == [.auditUnavailable])
        #expect(facts(unheard, full).map(\.name) == ["needed", "calls at most"])
    }

    @Test("who floods is refused, and another partner is served; how much others call stays here")
    func shares() {
        var rig = DeskRig()
        crowded(&rig)
        let first = rig.arrive()
        let second = rig.arrive()
        #expect(rig.refusal(of: first) == nil && rig.refusal(of: second) == [.overloaded])
        #expect(
            facts(second, rig) == [
                Fact("resource", "stock"), Fact("share of each", 1), Fact("this partner's", 1),
                Fact("free again in ms", 100),
            ])
        let event = rig.ledger.events.last
        #expect(event?.type == .service && event?.refusals.map(\.code) == [.overloaded])
        #expect(
            event?.refusals.first?.facts == [
                Fact("resource", "stock"), Fact("calls in hand", 1), Fact("limit", 1), Fact("partners", 1),
                Fact("share of each", 1), Fact("this partner's", 1), Fact("free again in ms", 100),
            ])
        #expect(event?.half.refusals.first?.facts == facts(second, rig), "nor does a trace tell more")
        let others = rig.arrive(from: 2)
        #expect(rig.refusal(of: others) == nil)
        let tooMany = rig.arrive(from: 2)
        #expect(rig.refusal(of: tooMany) == [.overloaded])
        #expect(standing(rig)?.refusals == 2 && standing(rig)?.partners == 2)
    }

    @Test("a resource is not blamed for what this node itself was behind")
    func ownLag() {
        var rig = DeskRig()
        for _ in 0..<8 {
            let key = rig.arrive()
            rig.now += 100
            answer(key, &rig)
        }
        for _ in 0..<10 {
            rig.take(.shellBusy(.milliseconds(300)))
            let many = (0..<12).map { _ in rig.arrive() }
            rig.now += 1_000
            for key in many { answer(key, &rig) }
        }
        #expect(standing(rig)?.limit == nil && standing(rig)?.refusals == 0)
        // What was told long ago counts no more.
        rig.now += 2_000
        let many = (0..<12).map { _ in rig.arrive() }
        rig.now += 1_000
        for key in many { answer(key, &rig) }
        #expect(standing(rig)?.limit == 1)
    }

    @Test(
        "what this node was behind makes no resource quicker than it is, or it were limited afterwards",
        arguments: [0, 8])
    func ownLagIsNoQuickness(learnt: Int) {
        var rig = DeskRig()
        // While it learns, or while few are in hand.
        for call in 0..<600 {
            if call >= learnt { rig.take(.shellBusy(.milliseconds(50))) }
            let key = rig.arrive()
            rig.now += 100
            answer(key, &rig)
        }
        rig.take(.shellBusy(.zero))
        for _ in 0..<40 {
            let many = (0..<12).map { _ in rig.arrive() }
            rig.now += 100
            for key in many { answer(key, &rig) }
        }
        #expect(standing(rig)?.limit == nil && standing(rig)?.refusals == 0)
    }

    @Test("beyond twice the limit even who is within its share is refused")
    func bound() {
        var rig = DeskRig()
        rig.peers[3] = CallPeer(name: peerName("D"), trust: .trusted, link: .up)
        rig.agree(provider: node(0), consumer: node(3), "stock")
        rig.publish()
        crowded(&rig)
        for peer in [1, 2, 3] as [UInt8] {
            let key = rig.arrive(from: peer)
            #expect(rig.refusal(of: key) == (peer == 3 ? [.overloaded] : nil))
        }
    }

    @Test("a domain that is not this node's has one share, however many nodes it sends")
    func domains() {
        var rig = DeskRig()
        rig.enrolPeersAbroad()
        crowded(&rig)
        let first = rig.arrive()
        let second = rig.arrive(from: 2)
        #expect(rig.refusal(of: first) == nil && rig.refusal(of: second) == [.overloaded])
    }

    @Test("a place is given back however a call ends")
    func givenBack() {
        let ends: [(String, (inout DeskRig, InboundKey) -> Void)] = [
            ("answer begins", { $0.take(.resourceAnswered(.inbound($1), status: 200, headers: [])) }),
            ("fails", { $0.take(.resourceFailed(.inbound($1), .connectionLost, .possible)) }),
            ("abandoned", { $0.take(.abandoned($1)) }),
            ("time over", { rig, _ in rig.pass(6_000) }),
            (
                "agreement cut",
                { rig, _ in
                    rig.agreements[node(1)] = rig.agreements[node(1)]?.map { terms in
                        AgreementTerms(
                            contentID: terms.contentID, agreement: terms.agreement, standing: .ended,
                            ending: [Fact("ended", "revoked")], callsUnderWay: .cut)
                    }
                    rig.publish()
                }
            ),
        ]
        for (name, end) in ends {
            var rig = DeskRig()
            rig.agreements[node(1)] = []
            rig.agree(provider: node(0), consumer: node(1), "stock", callsAtEnd: .cut)
            rig.publish()
            let key = rig.arrive()
            #expect(standing(rig)?.inHand == 1)
            end(&rig, key)
            #expect(standing(rig)?.inHand == 0, "\(name)")
        }
    }

    @Test("a place is not held by an answer that has begun: streams, WebSockets, sessions")
    func streams() {
        var rig = DeskRig()
        let key = rig.arrive(scope: .answerHead)
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        #expect(standing(rig)?.inHand == 0 && rig.desk.load.services == 1)
    }

    @Test("what a caller takes for its request is not the resource's doing")
    func uploads() {
        var rig = DeskRig()
        for _ in 0..<8 {
            let key = rig.arrive("stock", "buy", method: "POST", path: "/buy", body: .streamed(length: nil))
            rig.now += 2_000
            rig.take(.serviceBodyEnded(key, BodySummary(length: 3, digest: nil)))
            rig.now += 100
            answer(key, &rig)
        }
        #expect(standing(rig)?.microseconds == 100_000)
        // And one whose request never ends says nothing.
        let key = rig.arrive("stock", "buy", method: "POST", path: "/buy", body: .streamed(length: nil))
        rig.now += 2_000
        answer(key, &rig)
        #expect(standing(rig)?.microseconds == 100_000 && standing(rig)?.inHand == 0)
    }

    @Test("applications here are a partner like others")
    func own() {
        var rig = DeskRig()
        crowded(&rig)
        let key = rig.arrive()
        let mine = rig.call("A", "stock")
        #expect(rig.refusal(of: key) == nil && rig.refusal(of: mine) == nil)
        #expect(standing(rig)?.inHand == 2)
        let another = rig.call("A", "stock")
        #expect(rig.refusal(of: another)?.first == .overloaded)
        // The one that is served gives its place back.
        guard
            case .serve(let service, _, _)? = rig.effects.last(where: { effect in
                if case .serve(.own, _, _) = effect { true } else { false }
            })
        else {
            Issue.record("not served")
            return
        }
        rig.take(.resourceAnswered(service, status: 200, headers: []))
        #expect(standing(rig)?.inHand == 1)
    }

    @Test("a call that is given up gives its place at this node's own resource back")
    func ownGivenUp() {
        for isCancelled in [true, false] {
            var rig = DeskRig()
            let id = rig.call("A", "stock")
            #expect(standing(rig)?.inHand == 1)
            if isCancelled { rig.take(.cancelled(id)) } else { rig.pass(11_000) }
            #expect(standing(rig)?.inHand == 0)
        }
    }

    @Test("no breaker opens for it at who calls")
    func breakers() {
        var rig = DeskRig()
        for _ in 0..<60 {
            rig.call("B", "orders", "buy")
            while let last = rig.sent.last, rig.desk.attempts[last.0] != nil {
                rig.take(.attemptRefused(last.0, [Refusal(.overloaded)], .none))
            }
        }
        let way = rig.desk.routes(at: moment(rig.now)).first { $0.node == node(1) }
        #expect(way?.breaker == .closed && way?.linkBreaker == .closed)
    }

    @Test("one that may have happened before is asked for nowhere else, and its outcome stays unknown")
    func unknown() {
        var rig = DeskRig()
        let id = rig.call("any", "orders", "buy", key: "once")
        rig.failLast()
        rig.take(.attemptRefused(rig.sent.last!.0, [Refusal(.overloaded)], .none))
        while let last = rig.sent.last, rig.desk.attempts[last.0] != nil {
            rig.take(.attemptRefused(last.0, [Refusal(.overloaded)], .none))
        }
        #expect(rig.sent.count > 1 && Set(rig.sent.map(\.1)).count == 1)
        #expect(rig.refusal(of: id) == [.outcomeUnknown, .overloaded])
    }

    @Test("who would be refused is told so before it calls")
    func explained() {
        var rig = DeskRig()
        crowded(&rig)
        func verdict(_ peer: UInt8) -> Verdict {
            rig.desk.wouldServe(
                node(peer), resource: resource("stock"), capability: resource("list"), principal: .local,
                at: moment(rig.now))
        }
        rig.arrive()
        guard case .refused(let reasons) = verdict(1) else {
            Issue.record("not refused")
            return
        }
        #expect(reasons.map(\.code) == [.overloaded])
        guard case .permitted = verdict(2) else {
            Issue.record("refused")
            return
        }
    }

    @Test("what is known of a resource is forgotten with it")
    func forgotten() {
        var rig = DeskRig()
        for number in 0..<5 {
            rig.own = [DeskRig.offered("r\(number)", to: [node(1)])]
            rig.agree(provider: node(0), consumer: node(1), "r\(number)")
            rig.publish()
            let key = rig.arrive("r\(number)")
            answer(key, &rig)
        }
        rig.own = []
        rig.publish()
        #expect(rig.desk.loads.isEmpty)
    }
}
