import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("What somebody learns who is not the peer")
struct ExposureTests {
    private func trusting() -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "m"))
        table.makeTrust()
        for index in table.parties.indices {
            table.parties[index].events = []
            table.parties[index].sent = []
        }
        return table
    }

    private func lastDenial(_ table: TrustTable, by index: Int) -> Denial? {
        guard case .deny(let denial)? = table.parties[index].sent.last else { return nil }
        return denial
    }

    @Test("a certificate that claims a trusted peer's name under another key hears no more than a stranger")
    func claimedNameTellsNothing() throws {
        var table = trusting()
        let posing = table.parties[2].certificate(claiming: table.parties[0].node)
        table.open(2, 1, initiatorShows: .wellFormed(posing))
        table.settle()
        #expect(table.refusals(1) == [.identityMismatch])
        let denial = try #require(lastDenial(table, by: 1))
        #expect(denial.code == .handshakeRefused && denial.facts.isEmpty)
    }

    @Test("a statement nobody signed hears no more than a stranger, whomever it names")
    func unsignedStatementTellsNothing() throws {
        var table = trusting()
        let forged = table.parties[0].certificate(signedBy: SimulatedKey(666))
        table.open(2, 1, initiatorShows: .wellFormed(forged))
        let denial = try #require(lastDenial(table, by: 1))
        #expect(denial.code == .handshakeRefused && denial.facts.isEmpty)
    }

    @Test("a trusted peer hears the true reason with what was compared")
    func trustedPeerHearsAll() throws {
        var table = trusting()
        let (_, theirs) = table.open(0, 1)
        guard case .hello(let hello)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no hello")
        }
        table.wire = []
        let unspoken = Hello(
            versions: [99], bindings: [1], nonce: hello.hello.nonce, node: hello.hello.node,
            identityKey: hello.hello.identityKey, inception: hello.hello.inception, boot: hello.hello.boot,
            time: hello.hello.time)
        table.handle(1, .messageArrived(theirs, .hello(InitiatorHello(hello: unspoken, invite: nil))))
        let denial = try #require(lastDenial(table, by: 1))
        #expect(denial.code == .versionUnsupported && !denial.facts.isEmpty)
    }

    @Test("on the door for pairing even a trusted peer hears no more than a stranger")
    func pairingDoorTellsNothing() throws {
        var table = trusting()
        table.handle(
            1,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
        table.open(0, 1, .pairing, secret: TrustTable.secret)
        table.deliver()
        table.deliver()
        guard case .finish(let finish)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no finish")
        }
        let forged = SimulatedKey(666).sign(finish.proof.body)
        table.wire[0].2 = .finish(InitiatorFinish(secretProof: finish.secretProof, proof: forged))
        table.settle()
        #expect(table.refusals(1) == [.proofInvalid])
        let denial = try #require(lastDenial(table, by: 1))
        #expect(denial.code == .handshakeRefused && denial.facts.isEmpty)
    }

    @Test("a hello that claims more versions or bindings than eight is none", arguments: [(9, 1), (1, 9)])
    func boundedLists(versions: Int, bindings: Int) {
        var table = trusting()
        let (_, theirs) = table.open(0, 1)
        guard case .hello(let hello)? = table.wire.first?.2 else {
            return #expect(Bool(false), "no hello")
        }
        let long = Hello(
            versions: Array(1...versions), bindings: Array(1...bindings), nonce: hello.hello.nonce,
            node: hello.hello.node, identityKey: hello.hello.identityKey, inception: hello.hello.inception,
            boot: hello.hello.boot, time: hello.hello.time)
        table.handle(1, .messageArrived(theirs, .hello(InitiatorHello(hello: long, invite: nil))))
        #expect(table.refusals(1) == [.handshakeMalformed])
    }

    @Test("a joiner names its invite only to who holds the inviter's key")
    func inviteIsNamedToNobodyElse() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "m"))
        let posing = table.parties[2].certificate(claiming: table.parties[0].node)
        table.open(1, 0, .pairing, secret: TrustTable.secret, responderShows: .wellFormed(posing))
        #expect(table.refusals(1) == [.identityMismatch])
        #expect(!table.parties[1].sent.contains { if case .hello = $0 { true } else { false } })
    }

    @Test("an invite's name is worth nothing on a link")
    func inviteOpensNoLink() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
        table.open(1, 0, .peering, secret: TrustTable.secret)
        table.settle()
        #expect(table.refusals(0) == [.handshakeMalformed])
        #expect(table.parties[0].trust.pins.peers.isEmpty && table.parties[0].admitted.isEmpty)
    }

    @Test("no text of an invite or a join holds its secret")
    func secretsHaveNoText() throws {
        let secret = Octets(Array(repeating: 0xa7, count: 16))
        let suite = SimulatedSuite()
        let name = InviteName(secret: secret, using: suite)
        let invite = InviteRecord(
            name: name, secret: secret, expires: WallTime(milliseconds: 5), confirmation: .none, usedBy: nil,
            wrongProofs: 0)
        let node = SimulatedKey(1).node
        let join = JoinRequest(
            inviter: node, endpoints: [], secret: secret, expires: WallTime(milliseconds: 5))
        let intent = DialIntent(node: node, secret: secret)
        let values: [any Sendable] = [
            invite, join, intent, TrustChange.invite(invite), TrustInput.joinRequested(Ticket(1), join),
        ]
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                #expect(!text.contains("167"), "\(type(of: value))")
            }
        }
    }
}
