import MeshAgreements
import MeshBase
import MeshGossip
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("What two nodes believe about themselves")
struct BeliefTests {
    private let now = WallTime(milliseconds: 1_800_000_000_000)

    private func agreement(
        _ standing: BelievedAgreement.Standing = .active, seed: UInt64 = 1, version: Int64 = 1,
        until: Int64 = 1_900_000_000_000, content: UInt8 = 1
    ) -> BelievedAgreement {
        var generator = SeededGenerator(seed: seed)
        return BelievedAgreement(
            id: AgreementID(using: &generator), version: version,
            contentID: Digest([UInt8](repeating: content, count: 32))!, standing: standing,
            until: WallTime(milliseconds: until), resources: [.echo])
    }

    private func beliefs(
        mine: UInt8 = 1, yours: UInt8 = 2, domain: DomainID? = nil, _ agreements: [BelievedAgreement]
    ) -> Beliefs {
        func pin(_ byte: UInt8) -> Pin { Pin(Digest([UInt8](repeating: byte, count: 32))!) }
        return Beliefs(mine: pin(mine), yours: pin(yours), domain: domain, agreements: agreements)
    }

    /// What this node finds where the peer believes `theirs`.
    private func found(_ mine: [BelievedAgreement], _ theirs: [BelievedAgreement]) -> [BeliefDifference] {
        beliefs(mine).differences(from: beliefs(mine: 2, yours: 1, theirs), at: now)
    }

    @Test("that are alike differ in nothing, in whatever order they are told")
    func alike() {
        let both = [agreement(seed: 1), agreement(.offered, seed: 2), agreement(seed: 3, version: 2)]
        #expect(found(both, both.reversed()).isEmpty)
    }

    @Test("differ in words: you have v3 until then, they have v2")
    func words() throws {
        let difference = try #require(
            found([agreement(version: 3, content: 3)], [agreement(.offered, version: 2, content: 2)]).first)
        #expect(difference.subject == "agreement \(agreement().id) over echo")
        #expect(difference.here == "v3 until 2030-03-17T17:46:40.000Z, active, content 030303030303")
        #expect(difference.there == "v2 until 2030-03-17T17:46:40.000Z, offered, content 020202020202")
    }

    @Test("the same version with other content, and one that a side ended or never had, are told so")
    func kinds() {
        let one = [agreement(content: 1)]
        #expect(found(one, [agreement(content: 2)]).count == 1)
        #expect(found(one, []).map(\.there) == ["nothing"])
        #expect(found(one, [agreement(.ended)]).map(\.there) == ["v1, ended, content 010101010101"])
        #expect(found([agreement(.ended)], []).isEmpty, "the other may have forgotten what ended")
        #expect(found(one, [agreement(.signed)]).count == 1, "one honours it, the other does not yet")
        let ended = [agreement(.ended, version: 1), agreement(.ended, version: 2, content: 2)]
        for list in [ended, ended.reversed()] {
            #expect(found(one, list).map(\.there) == ["v2, ended, content 020202020202"], "the newest")
        }
    }

    @Test("what is damaged at one side is told as that, whatever else the store says of it, at both")
    func damaged() {
        let signed = [agreement(version: 2, content: 2)]
        let words = "v2, damaged in the store and not honoured, content 020202020202"
        for id in [1, 9] as [UInt64] {
            let changed = [agreement(.damaged, seed: id, version: 2, content: 2)]
            for (mine, theirs) in [(signed, changed), (changed, signed)] {
                let differences = found(mine, theirs)
                #expect(differences.map(\.subject) == ["agreement \(agreement().id) over echo"])
                #expect(differences.map { mine == signed ? $0.there : $0.here } == [words])
            }
        }
        let rest = [agreement(), agreement(.damaged, version: 2, content: 2)]
        #expect(
            found(rest, signed).map(\.here) == [
                "v1 until 2030-03-17T17:46:40.000Z, active, content 010101010101; \(words)"
            ])
        #expect(found([agreement(.damaged)], [agreement(.ended)]).isEmpty, "neither honours it")
    }

    @Test("what is over is no difference, nor what clocks may hold for over already")
    func over() {
        let edge = now.milliseconds + Limits.clockSkewRefused.wholeMilliseconds
        #expect(found([agreement(until: edge)], []).isEmpty)
        #expect(found([agreement(until: edge + 1)], []).count == 1)
    }

    @Test("keys and the domain that both are in are compared")
    func keys() {
        let mine = beliefs(domain: DomainID(.zero), [])
        let theirs = beliefs(mine: 3, yours: 4, [])
        #expect(
            mine.differences(from: theirs, at: now).map(\.subject) == [
                "this node's key", "the peer's key", "the domain whose records both see",
            ])
    }

    @Test("no more differences are kept than are shown")
    func bound() {
        let many = BeliefSamples.agreements(500)
        #expect(beliefs(many).differences(from: beliefs(mine: 2, yours: 1, []), at: now).count == 32)
    }

    @Test("both sides make the same mark, and another for another key, domain, or set of open agreements")
    func marks() {
        let suite = SimulatedSuite()
        let (a, b) = (SimulatedKey(1), SimulatedKey(2))
        let pins = (suite.pin(of: a.publicKey), suite.pin(of: b.publicKey))
        func mark(
            _ me: NodeID, _ own: Pin, _ peer: NodeID, _ other: Pin, _ domain: DomainID? = nil,
            _ open: Digest = .zero
        ) -> BeliefMark {
            BeliefMark(of: me, own, and: peer, other, domain: domain, open: open, using: suite)
        }
        let one = mark(a.node, pins.0, b.node, pins.1)
        #expect(mark(b.node, pins.1, a.node, pins.0) == one)
        let others = [
            mark(a.node, pins.0, b.node, pins.0), mark(a.node, pins.0, b.node, pins.1, DomainID(.zero)),
            mark(a.node, pins.0, b.node, pins.1, nil, suite.digest([1])),
        ]
        #expect(Set(others + [one]).count == 4)
    }

    @Test("a ping has 40 bytes, or 32 from who says nothing of beliefs, and no other length")
    func ping() throws {
        let whole = try #require(LinkPing(Array(0..<40)))
        #expect(whole.bytes == Array(0..<40))
        let short = try #require(LinkPing(Array(0..<32)))
        #expect(short.beliefs == nil && short.bytes == Array(0..<32))
        for length in [0, 31, 33, 39, 41, 64] {
            #expect(LinkPing([UInt8](repeating: 0, count: length)) == nil, "\(length) bytes")
        }
    }
}
