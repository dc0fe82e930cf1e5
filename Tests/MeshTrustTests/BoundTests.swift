import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Bounds of trust")
struct BoundTests {
    @Test("sixty-four invites are open at once, and not one more before one is over")
    func openInvites() {
        var book = InviteBook()
        for number in 1...Limits.openInvites {
            #expect(book.open(invite(number, until: Int64(number))) == nil)
        }
        #expect(book.open(invite(100, until: 1))?.code == .limitReached)
        #expect(book.takeExpired(at: WallTime(milliseconds: 1)).count == 1)
        #expect(book.open(invite(100, until: 1_000)) == nil)
        #expect(book.invites.count == Limits.openInvites)
    }

    @Test("clocks may differ by 300 s and no more", arguments: [(300, true), (301, false)])
    func clockSkew(seconds: Int, isAdmitted: Bool) {
        for sign in [1, -1] {
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
            table.makeTrust()
            for index in table.parties.indices { table.parties[index].events = [] }
            _ = table.open(0, 1)
            let wall = table.now.wall
            table.now = Moment(instant: table.now.instant, wall: wall + .seconds(sign * seconds))
            table.settle()
            #expect((table.refusals(1) == []) == isAdmitted)
            #expect(table.parties[1].admitted.isEmpty != isAdmitted)
        }
    }

    @Test("a hello lists eight versions, and not nine")
    func lists() {
        #expect(Hello.listMax == 8)
        for (count, isTaken) in [(8, true), (9, false)] {
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
            table.makeTrust()
            for index in table.parties.indices { table.parties[index].events = [] }
            let (_, theirs) = table.open(0, 1)
            guard case .hello(let hello)? = table.parties[0].sent.last else {
                return #expect(Bool(false), "no hello")
            }
            let long = Hello(
                versions: Array((1...count).reversed()), bindings: hello.hello.bindings,
                nonce: hello.hello.nonce, node: hello.hello.node, identityKey: hello.hello.identityKey,
                inception: hello.hello.inception, boot: hello.hello.boot, time: hello.hello.time)
            table.handle(1, .messageArrived(theirs, .hello(InitiatorHello(hello: long, invite: nil))))
            #expect(table.refusals(1).isEmpty == isTaken)
        }
    }

    private func invite(_ number: Int, until: Int64) -> InviteRecord {
        InviteRecord(
            name: InviteName(Octets(Array(repeating: UInt8(number), count: 8)))!,
            secret: Octets(Array(repeating: UInt8(number), count: 16)),
            expires: WallTime(milliseconds: until),
            confirmation: .none, usedBy: nil, wrongProofs: 0)
    }
}
