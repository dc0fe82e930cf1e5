import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Consent that is given only while it is meant")
struct ConsentTests {
    private func invited(_ confirmation: InviteConfirmation = .none) -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "c"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: confirmation))
        return table
    }

    private var name: InviteName { InviteName(secret: TrustTable.secret, using: SimulatedSuite()) }

    @Test("nothing is signed for a suspended peer that comes with an invite, and the invite stays unused")
    func suspendedPeerByInvite() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        table.handle(0, .decided(table.ticket(), table.parties[1].node, .suspend, note: "test"))
        table.parties[0].sent = []
        let secret = Octets(Array(51...66))
        table.makeTrust(secret: secret)
        #expect(table.refusals(0) == [.peerSuspended])
        let isSigned = table.hasSentAccept(0)
        #expect(!isSigned)
        let name = InviteName(secret: secret, using: SimulatedSuite())
        let invite = table.parties[0].trust.invites.invites[name]
        #expect(invite != nil && invite?.usedBy == nil)
    }

    @Test("a joiner signs nothing for an inviter that it suspended meanwhile")
    func joinerSuspended() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        table.parties[1].sent = []
        table.handle(1, .decided(table.ticket(), table.parties[0].node, .suspend, note: "test"))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        #expect(table.refusals(1) == [.peerSuspended])
        let isSigned = table.hasSentFinish(1)
        #expect(!isSigned)
    }

    /// A book with so many peers in it.
    private func book(_ count: Int) -> PinBook {
        let peers = (0..<count).map { number in
            let key = SimulatedKey(UInt64(100_000 + number))
            return PeerRecord(
                node: key.node, key: key.publicKey, pin: SimulatedSuite().pin(of: key.publicKey),
                inception: key.sign(Inception(key: key.publicKey, nextKeyDigest: .zero)),
                name: NodeName("p\(number)")!, state: .trusted, since: WallTime(milliseconds: 0),
                evidence: TrustEvidence(kind: .invite, transcript: nil, note: "test"), boot: nil)
        }
        return PinBook(peers: peers, revokedPins: [])
    }

    @Test("a yes that comes when the last place is gone is no consent")
    func fullWhileAsking() {
        var table = TrustTable(
            Party(1, name: "a", pins: book(Limits.peers - 1)), Party(2, name: "b"), Party(3, name: "c"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .asked))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        table.makeTrust(joiner: 2, secret: Octets(Array(71...86)))
        #expect(table.parties[0].trust.pins.peers.count == Limits.peers)
        table.parties[0].sent = []
        let pin = SimulatedSuite().pin(of: table.parties[1].key.publicKey)
        table.handle(0, .inviteConfirmed(table.ticket(), name, by: pin, .yes))
        table.settle()
        let isSigned = table.hasSentAccept(0)
        #expect(!isSigned)
        #expect(table.refusals(0) == [.limitReached])
    }

    @Test("a yes to one joiner is none to another that came with the same line")
    func yesToOneOnly() {
        var table = invited(.asked)
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        table.open(2, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        #expect(table.parties[0].confirmations.count == 2)
        let first = SimulatedSuite().pin(of: table.parties[1].key.publicKey)
        table.handle(0, .inviteConfirmed(table.ticket(), name, by: first, .yes))
        table.settle()
        #expect(!table.parties[0].trust.pins.isTrusted(table.parties[2].node))
        table.open(2, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        #expect(table.refusals(0) == [.inviteUsed])
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
    }

    @Test("who is full signs no consent, on either side")
    func fullBook() {
        for isInviterFull in [true, false] {
            let full = book(Limits.peers)
            var table = TrustTable(
                Party(1, name: "a", pins: isInviterFull ? full : PinBook()),
                Party(2, name: "b", pins: isInviterFull ? PinBook() : full))
            table.makeTrust()
            #expect(table.refusals(isInviterFull ? 0 : 1) == [.limitReached])
            let isSigned = table.hasSentAccept(0)
            #expect(!isSigned)
            if !isInviterFull {
                let isSigned = table.hasSentFinish(1)
                #expect(!isSigned)
            }
        }
    }

    @Test("an invite that is withdrawn while its acceptance is being signed makes no trust")
    func withdrawnWhileSigning() {
        var table = invited()
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.deliver()
        table.deliver()
        table.holdsSignatures = true
        table.deliver()
        #expect(table.awaitingSignature.count == 1)
        table.handle(0, .inviteWithdrawn(table.ticket(), name))
        table.sign()
        table.settle()
        let isSigned = table.hasSentAccept(0)
        #expect(!isSigned)
        #expect(table.parties[0].trust.pins.peers.isEmpty && table.parties[1].trust.pins.peers.isEmpty)
    }

    @Test("an invite that is over while the operator thinks makes no trust")
    func overWhileAsking() {
        var table = invited(.asked)
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        let pin = SimulatedSuite().pin(of: table.parties[1].key.publicKey)
        // The wall clock jumps: no alarm rang yet.
        table.now = Moment(instant: table.now.instant, wall: table.now.wall + .seconds(601))
        let ticket = table.ticket()
        table.handle(0, .inviteConfirmed(ticket, name, by: pin, .yes))
        table.settle()
        #expect(table.parties[0].trust.pins.peers.isEmpty)
        guard case .refused(let refusal)? = table.parties[0].answers[ticket] else {
            return #expect(Bool(false), "the yes was not refused")
        }
        #expect(refusal.code == .inviteExpired)
    }

    @Test("a signature that was ordered before trust fell lets nothing out")
    func suspendedWhileSigning() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        for side in [0, 1] {
            table.parties[0].sent = []
            table.parties[0].events = []
            table.holdsSignatures = false
            let (mine, _) = side == 0 ? table.open(1, 0) : table.open(0, 1)
            if side == 1 { table.deliver() }
            table.holdsSignatures = true
            table.deliver()
            #expect(table.awaitingSignature.contains { $0.0 == 0 })
            table.handle(0, .decided(table.ticket(), table.parties[1].node, .suspend, note: "test"))
            table.sign()
            table.settle()
            #expect(table.refusals(0) == [.peerNotTrusted])
            #expect(table.parties[0].admitted.isEmpty && table.parties[1].admitted[mine] == nil)
            table.handle(0, .decided(table.ticket(), table.parties[1].node, .resume, note: "test"))
        }
    }

    @Test("the fifth wrong proof closes the door that the invite held open")
    func wrongProofsCloseTheDoor() {
        var table = invited()
        for _ in 1...Limits.wrongProofsPerInvite {
            table.open(1, 0, .pairing, secret: TrustTable.secret)
            table.deliver()
            table.deliver()
            guard case .finish(let finish)? = table.wire.first?.2 else {
                return #expect(Bool(false), "no finish")
            }
            table.wire[0].2 = .finish(InitiatorFinish(secretProof: .zero, proof: finish.proof))
            table.settle()
        }
        #expect(table.parties[0].windows.last == .closed)
    }

    @Test("an acceptance of another finish than one's own is none")
    func acceptanceOfAnother() {
        var table = invited()
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.deliver()
        table.deliver()
        table.deliver()
        guard case .accept(let accept)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no acceptance")
        }
        let other = Acceptance(
            transcript: accept.proof.body.transcript, accepted: .zero, grants: accept.proof.body.grants)
        table.wire[0].2 = .accept(
            ResponderAccept(secretProof: accept.secretProof, proof: table.parties[0].key.sign(other)))
        table.settle()
        #expect(table.refusals(1) == [.proofInvalid])
        #expect(table.parties[1].trust.pins.peers.isEmpty)
    }

    @Test("an inviter that does not prove the secret is not believed")
    func inviterProvesTheSecret() {
        var table = invited()
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.deliver()
        table.deliver()
        table.deliver()
        guard case .accept(let accept)? = table.wire.first?.2,
            case .finish(let finish)? = table.parties[1].sent.last
        else { return #expect(Bool(false), "no acceptance") }
        for proof in [nil, finish.secretProof] {
            var copy = table
            copy.wire[0].2 = .accept(ResponderAccept(secretProof: proof, proof: accept.proof))
            copy.settle()
            #expect(copy.refusals(1) == [.inviteProofWrong])
            #expect(copy.parties[1].trust.pins.peers.isEmpty)
        }
    }

    @Test("a side that does not grant trust gets none")
    func grants() {
        var table = invited()
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.deliver()
        table.deliver()
        guard case .finish(let finish)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no finish")
        }
        let unwilling = InitiatorProof(
            transcript: finish.proof.body.transcript, grants: Grants(name: NodeName("b")!, trust: false))
        var refusing = table
        refusing.wire[0].2 = .finish(
            InitiatorFinish(secretProof: finish.secretProof, proof: table.parties[1].key.sign(unwilling)))
        refusing.settle()
        #expect(refusing.refusals(0) == [.grantMissing])
        table.deliver()
        guard case .accept(let accept)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no acceptance")
        }
        let reluctant = Acceptance(
            transcript: accept.proof.body.transcript, accepted: accept.proof.body.accepted,
            grants: Grants(name: NodeName("a")!, trust: false))
        table.wire[0].2 = .accept(
            ResponderAccept(secretProof: accept.secretProof, proof: table.parties[0].key.sign(reluctant)))
        table.settle()
        #expect(table.refusals(1) == [.grantMissing])
        #expect(table.parties[1].trust.pins.peers.isEmpty)
    }
}
