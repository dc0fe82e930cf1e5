import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Handshake between peers that trust each other")
struct HandshakeTests {
    private func trusting() -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "m"))
        table.makeTrust()
        for index in table.parties.indices { table.parties[index].events = [] }
        return table
    }

    @Test("ends with both sides admitting each other under one transcript")
    func admits() throws {
        var table = trusting()
        let (mine, theirs) = table.open(0, 1)
        table.settle()
        let a = try #require(table.parties[0].admitted[mine])
        let b = try #require(table.parties[1].admitted[theirs])
        #expect(a.node == table.parties[1].node && b.node == table.parties[0].node)
        #expect(a.transcript == b.transcript)
    }

    @Test("refuses who shows no certificate")
    func missingCertificate() {
        var table = trusting()
        table.open(0, 1, initiatorShows: .missing)
        table.settle()
        #expect(table.refusals(1) == [.certificateMissing])
        #expect(table.denials(0) == [.handshakeRefused])
        #expect(table.parties[1].admitted.isEmpty && table.parties[0].admitted.isEmpty)
    }

    @Test("refuses a certificate that the identity key did not sign")
    func foreignStatement() {
        var table = trusting()
        let forged = table.parties[0].certificate(signedBy: SimulatedKey(666))
        table.open(0, 1, initiatorShows: .wellFormed(forged))
        table.settle()
        #expect(table.refusals(1) == [.identityStatementInvalid])
    }

    @Test("refuses a stranger, and tells it nothing but a reference")
    func stranger() {
        var table = trusting()
        table.open(2, 1)
        table.settle()
        #expect(table.refusals(1) == [.peerUnknown])
        #expect(table.denials(2) == [.handshakeRefused])
        #expect(!table.parties[1].sent.contains { if case .answer = $0 { true } else { false } })
    }

    @Test("refuses a hello in another node's name under one's own certificate")
    func borrowedHello() {
        var table = trusting()
        table.open(0, 1, initiatorShows: .wellFormed(table.parties[2].certificate()))
        table.settle()
        #expect(table.refusals(1) == [.identityMismatch])
    }

    @Test("refuses a proof by another key than the certificate's identity")
    func wrongSignature() {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        table.deliver()
        guard case .finish(let finish)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no finish")
        }
        let forged = SimulatedKey(666).sign(finish.proof.body)
        table.wire[0].2 = .finish(InitiatorFinish(secretProof: nil, proof: forged))
        table.settle()
        #expect(table.refusals(1) == [.proofInvalid])
        #expect(table.parties[1].admitted.isEmpty)
    }

    @Test("a replayed hello gets an answer but no link")
    func replay() {
        var table = trusting()
        table.open(0, 1)
        let hello = table.wire[0].2
        table.settle()
        let (_, theirs) = table.connect(2, 1)
        // The thief shows the victim's certificate, whose TLS key it would have to hold as well.
        let shown = PresentedCertificate.wellFormed(table.parties[0].certificate())
        table.handle(
            1,
            .connectionSecured(
                theirs, table.secured(1, to: 0, .responder, .peering, presenting: shown), intent: nil))
        table.handle(1, .messageArrived(theirs, hello))
        guard case .finish? = table.parties[0].sent.last else {
            return #expect(Bool(false), "no finish to replay")
        }
        table.handle(1, .messageArrived(theirs, table.parties[0].sent.last!))
        #expect(table.refusals(1) == [.proofInvalid])
        #expect(table.parties[1].admitted.count == 1)
    }

    @Test("a reflected hello is recognised as one's own")
    func reflection() {
        var table = trusting()
        let (mine, _) = table.open(0, 1)
        guard case .hello(let hello)? = table.wire.first?.2 else { return #expect(Bool(false), "no hello") }
        table.wire = []
        table.handle(0, .messageArrived(mine, .answer(ResponderHello(hello: hello.hello, proof: nil))))
        #expect(table.refusals(0) == [.isMyself])
    }

    @Test("a relay between two honest nodes makes two transcripts")
    func relay() {
        var table = trusting()
        // Each honest end is connected to the relay, which shows the other's identity under a TLS key of its
        // own.
        var relayed = table.parties[1]
        relayed.leaf = SimulatedKey(9_999)
        let (mine, _) = table.connect(0, 2)
        let (_, theirs) = table.connect(2, 1)
        let stolen = table.parties[0].certificate()
        table.handle(
            1,
            .connectionSecured(
                theirs, table.secured(1, to: 0, .responder, .peering, presenting: .wellFormed(stolen)),
                intent: nil))
        // The relay has stolen B's statement for B's leaf: with another leaf the statement does not fit.
        let misfit = CertificateFacts(
            certificateDigest: SimulatedSuite().digest([1]), certificateKey: relayed.leaf.publicKey,
            notBefore: WallTime(milliseconds: 0), notAfter: WallTime(milliseconds: 90_000_000),
            statement: table.parties[1].certificate().statement)
        let intent = DialIntent(node: table.parties[1].node, secret: nil)
        table.handle(
            0,
            .connectionSecured(
                mine, table.secured(0, to: 1, .initiator, .peering, presenting: .wellFormed(misfit)),
                intent: intent))
        #expect(table.refusals(0) == [.identityStatementInvalid])

        // With one leaf stolen as well, the certificates on the two connections still differ, and so do the
        // transcripts.
        let thief = CertificateFacts(
            certificateDigest: SimulatedSuite().digest([2]), certificateKey: table.parties[1].leaf.publicKey,
            notBefore: WallTime(milliseconds: 0), notAfter: WallTime(milliseconds: 90_000_000),
            statement: table.parties[1].certificate().statement)
        let (second, relaySide) = table.connect(0, 2)
        table.handle(
            0,
            .connectionSecured(
                second, table.secured(0, to: 1, .initiator, .peering, presenting: .wellFormed(thief)),
                intent: intent))
        _ = relaySide
        guard case .hello = table.parties[0].sent.last else { return #expect(Bool(false), "no hello") }
        table.handle(1, .messageArrived(theirs, table.parties[0].sent.last!))
        guard case .answer = table.parties[1].sent.last else { return #expect(Bool(false), "no answer") }
        table.handle(0, .messageArrived(second, table.parties[1].sent.last!))
        #expect(table.refusals(0).last == .proofInvalid)
        #expect(table.parties[0].admitted.isEmpty && table.parties[1].admitted.isEmpty)
    }

    @Test("names a clock that is off, even to a stranger")
    func clockSkew() {
        var table = trusting()
        let (_, theirs) = table.open(0, 1)
        table.now = Moment(instant: table.now.instant, wall: table.now.wall + .seconds(301))
        table.settle()
        #expect(table.refusals(1) == [.clockSkew])
        #expect(table.denials(0) == [.clockSkew])
        #expect(table.parties[1].closed[theirs] == .some(.clockSkew))
        // Each side's own clock is the one that it calls here.
        let told = table.parties[0].events.compactMap { event in
            if case .handshakeDenied(_, _, let denial) = event { denial.facts } else { nil }
        }
        let found = table.parties[1].events.compactMap { event in
            if case .handshakeRefused(_, _, _, let refusal) = event { refusal.facts } else { nil }
        }
        func time(_ name: String, _ facts: [Fact]?) -> String? {
            facts?.first { $0.name == name }?.value
        }
        #expect(time("here", told.first) != nil && time("here", told.first) == time("there", found.first))
        #expect(time("there", told.first) == time("here", found.first))
    }

    @Test("refuses a certificate that is over, or not valid yet")
    func validity() {
        var table = trusting()
        let wall = table.now.wall.milliseconds
        table.open(0, 1, initiatorShows: .wellFormed(table.parties[0].certificate(until: wall - 1)))
        table.settle()
        table.open(0, 1, initiatorShows: .wellFormed(table.parties[0].certificate(from: wall + 1)))
        table.settle()
        #expect(table.refusals(1) == [.certificateExpired, .certificateNotYetValid])
    }

    @Test("a dialler that meets another node than it dialled goes away")
    func wrongNode() {
        var table = trusting()
        table.open(0, 1, responderShows: .wellFormed(table.parties[2].certificate()))
        #expect(table.refusals(0) == [.identityMismatch])
    }

    @Test("a dialler that meets itself knows it")
    func myself() {
        var table = trusting()
        table.open(0, 1, responderShows: .wellFormed(table.parties[0].certificate()))
        #expect(table.refusals(0) == [.isMyself])
    }

    @Test("a message out of order ends the handshake")
    func outOfOrder() {
        var table = trusting()
        let (_, theirs) = table.open(0, 1)
        let hello = table.wire[0].2
        table.settle()
        table.handle(1, .messageArrived(theirs, hello))
        let (_, fresh) = table.open(0, 1)
        table.deliver()
        table.handle(1, .messageArrived(fresh, hello))
        #expect(table.refusals(1) == [.handshakeMalformed])
    }

    @Test("a handshake that stops is given up after five seconds")
    func timesOut() {
        var table = trusting()
        table.open(0, 1)
        table.wire = []
        table.pass(.seconds(4))
        #expect(table.refusals(1).isEmpty)
        table.pass(.seconds(2))
        #expect(table.refusals(1) == [.handshakeTimeout])
    }
}
