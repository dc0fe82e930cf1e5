import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Making trust under an invite")
struct InviteTests {
    @Test("both sides trust each other over one transcript")
    func bothTrust() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        let a = try #require(table.parties[0].trust.pins[table.parties[1].node])
        let b = try #require(table.parties[1].trust.pins[table.parties[0].node])
        #expect(a.state == .trusted && b.state == .trusted)
        #expect(a.evidence.transcript == b.evidence.transcript && a.evidence.transcript != nil)
        #expect(a.name.description == "b" && b.name.description == "a")
    }

    @Test("the invite is marked used before the acceptance leaves")
    func marksBeforeSigning() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        let inviter = table.parties[0]
        let used = inviter.persisted.contains { change in
            if case .invite(let invite) = change {
                return invite.usedBy == SimulatedSuite().pin(of: table.parties[1].key.publicKey)
            }
            return false
        }
        #expect(used)
    }

    @Test("the responder signs nothing before the secret is proved")
    func signsNothingForStrangers() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        guard case .answer(let answer) = table.parties[0].sent.first else {
            return #expect(Bool(false), "no answer was sent")
        }
        #expect(answer.proof == nil)
    }

    @Test("another key gets nothing from a used invite, the same key may repeat")
    func servesOnePin() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "c"))
        table.makeTrust()
        let join = table.ticket()
        let request = JoinRequest(
            inviter: table.parties[0].node, endpoints: [TrustTable.place], secret: TrustTable.secret,
            expires: table.now.wall + .seconds(60))
        table.handle(2, .joinRequested(join, request))
        table.open(2, 0, .pairing, secret: TrustTable.secret, join: join)
        table.settle()
        #expect(table.parties[2].answers[join].map(code) == .inviteUsed)
        #expect(table.parties[0].trust.pins[table.parties[2].node] == nil)

        let again = table.ticket()
        table.handle(1, .joinRequested(again, request))
        table.open(1, 0, .pairing, secret: TrustTable.secret, join: again)
        table.settle()
        #expect(table.parties[1].answers[again] == .joined(table.parties[0].node))
    }

    @Test("five wrong proofs end an invite")
    func wrongProofsEndIt() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(3_600), confirmation: .none))
        for attempt in 1...Limits.wrongProofsPerInvite {
            table.open(1, 0, .pairing, secret: TrustTable.secret)
            table.deliver()
            table.deliver()
            // The joiner's finish, with the proof of who only guessed the secret.
            guard case .finish(let finish)? = table.wire.first?.2 else {
                return #expect(Bool(false), "no finish in attempt \(attempt)")
            }
            table.wire[0].2 = .finish(InitiatorFinish(secretProof: .zero, proof: finish.proof))
            table.settle()
        }
        #expect(table.refusals(0) == Array(repeating: .inviteProofWrong, count: Limits.wrongProofsPerInvite))
        #expect(table.parties[0].trust.invites.invites.isEmpty)
    }

    @Test("an invite that was withdrawn is unknown to a joiner, while another holds the door open")
    func withdrawn() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        for secret in [TrustTable.secret, Octets(Array(61...76))] {
            table.handle(
                0,
                .inviteRequested(table.ticket(), secret: secret, life: .seconds(600), confirmation: .none))
        }
        let name = InviteName(secret: TrustTable.secret, using: SimulatedSuite())
        table.handle(0, .inviteWithdrawn(table.ticket(), name))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        #expect(table.denials(1) == [.inviteUnknown])
        #expect(table.parties[0].trust.pins.peers.isEmpty)
    }

    @Test("an invite that is over serves nobody")
    func expires() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(30), confirmation: .none))
        table.pass(.seconds(61))
        #expect(table.parties[0].trust.invites.invites.isEmpty)
        let (_, theirs) = table.open(1, 0, .pairing, secret: TrustTable.secret)
        #expect(table.parties[0].closed[theirs] == .some(.pairingClosed))
    }

    @Test("an invite that asks waits for the operator's yes")
    func asks() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .asked))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        let (name, pin) = try #require(table.parties[0].confirmations.first)
        #expect(table.parties[0].trust.pins.peers.isEmpty)
        table.handle(0, .inviteConfirmed(table.ticket(), name, by: pin, .yes))
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
        #expect(table.parties[1].trust.pins.isTrusted(table.parties[0].node))
    }

    @Test("a no ends the invite and is told")
    func declines() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .asked))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.settle()
        let (name, pin) = try #require(table.parties[0].confirmations.first)
        table.handle(0, .inviteConfirmed(table.ticket(), name, by: pin, .no))
        table.settle()
        #expect(table.denials(1) == [.inviteDeclined])
        #expect(table.parties[0].trust.pins.peers.isEmpty && table.parties[0].trust.invites.invites.isEmpty)
    }

    @Test("a joiner tries every address, again and again, and gives up after a minute")
    func joinerIsPatient() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        let join = table.ticket()
        let places = [TrustTable.place, Endpoint(host: "192.0.2.2", port: 7410)]
        let request = JoinRequest(
            inviter: table.parties[0].node, endpoints: places, secret: TrustTable.secret,
            expires: table.now.wall + .seconds(600))
        table.handle(1, .joinRequested(join, request))
        for _ in 0..<130 where table.parties[1].answers[join] == nil {
            let connection = ConnectionID(UInt64(table.parties[1].dials.count * 2 + 5_000))
            table.parties[1].trust.dialStarted(connection, join: join)
            table.handle(1, .connectionClosed(connection))
            table.pass(.seconds(1))
        }
        #expect(Set(table.parties[1].dials.map(\.0)) == Set(places))
        #expect(table.parties[1].answers[join].map(code) == .peerUnreachable)
    }

    @Test("a joiner that finds no invite open there is told so after three rounds, and not after a minute")
    func doorClosed() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        let join = table.ticket()
        let places = [TrustTable.place, Endpoint(host: "192.0.2.2", port: 7410)]
        let request = JoinRequest(
            inviter: table.parties[0].node, endpoints: places, secret: TrustTable.secret,
            expires: table.now.wall + .seconds(600))
        table.handle(1, .joinRequested(join, request))
        for step in 0..<20 where table.parties[1].answers[join] == nil {
            let connection = ConnectionID(UInt64(table.parties[1].dials.count * 2 + 5_000))
            table.parties[1].trust.dialStarted(connection, join: join)
            // Only the first of the two is there.
            if step % 2 == 0 { table.handle(1, .doorClosed(connection)) }
            table.handle(1, .connectionClosed(connection))
            table.pass(.seconds(1))
        }
        #expect(table.parties[1].dials.map(\.0) == places + places + places)
        #expect(table.parties[1].answers[join].map(code) == .pairingClosed)
    }

    @Test("a joiner that is refused is told so at once, with the reference for the other operator")
    func refusedAtOnce() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.makeTrust()
        table.handle(0, .decided(table.ticket(), table.parties[1].node, .revoke, note: "test"))
        table.handle(1, .decided(table.ticket(), table.parties[0].node, .forget, note: "test"))
        let secret = Octets(Array(61...76))
        let invite = TrustInput.inviteRequested(
            table.ticket(), secret: secret, life: .seconds(600), confirmation: .none)
        table.handle(0, invite)
        let join = table.ticket()
        let request = JoinRequest(
            inviter: table.parties[0].node, endpoints: [TrustTable.place], secret: secret,
            expires: table.now.wall + .seconds(600))
        table.handle(1, .joinRequested(join, request))
        table.open(1, 0, .pairing, secret: secret, join: join)
        table.settle()
        guard case .refused(let refusal)? = table.parties[1].answers[join] else {
            return #expect(Bool(false), "the join goes on")
        }
        #expect(refusal.code == .handshakeRefused)
        #expect(refusal.facts.contains { $0.name == "reference" })
    }

    @Test("a name that is taken gets a number")
    func numbersNames() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "b"))
        table.makeTrust()
        table.makeTrust(joiner: 2, secret: Octets(Array(21...36)))
        #expect(table.parties[0].trust.pins[table.parties[2].node]?.name.description == "b-2")
    }

    private func code(_ answer: TrustAnswer) -> RefusalCode? {
        if case .refused(let refusal) = answer { return refusal.code }
        return nil
    }
}
