import MeshBase
import MeshNode
import MeshWire
import Synchronization
import Testing

@testable import MeshAgent
@testable import MeshCredentials

@Suite("Joins under way")
struct JoinBookTests {
    private let invite = Invite(
        inviter: ReportRig.Person("bakery").node, endpoints: [Endpoint(host: "127.0.0.1", port: 7410)],
        secret: Octets(Array(repeating: 7, count: 16)), expires: ReportRig.now.wall)

    /// Counts attempts and answers each with what it is told.
    private final class Attempts: Sendable {
        let count = Mutex(0)
        let answer: NodeAnswer
        init(_ answer: NodeAnswer) { self.answer = answer }
        func begin() -> NodeAnswer {
            count.withLock { $0 += 1 }
            return answer
        }
    }

    private func end(of book: JoinBook, _ attempts: Attempts) async -> JoinBook.Outcome {
        while true {
            let outcome = await book.outcome(of: invite, isFirst: false) { attempts.begin() }
            if outcome != .underWay { return outcome }
            await Task.yield()
        }
    }

    @Test func `waits for the same attempt however often it is asked`() async {
        let book = JoinBook()
        let attempts = Attempts(.joined(invite.inviter))
        _ = await book.outcome(of: invite, isFirst: true) { attempts.begin() }
        #expect(await end(of: book, attempts) == .joined(invite.inviter))
        #expect(await end(of: book, attempts) == .joined(invite.inviter))
        #expect(attempts.count.withLock { $0 } == 1)
    }

    @Test func `tells a failure to who waits, and tries again for who comes anew`() async {
        let book = JoinBook()
        let attempts = Attempts(.refused([Refusal(.inviteUsed)]))
        _ = await book.outcome(of: invite, isFirst: true) { attempts.begin() }
        #expect(await end(of: book, attempts) == .refused([Refusal(.inviteUsed)]))
        #expect(await book.outcome(of: invite, isFirst: true) { attempts.begin() } == .underWay)
        #expect(await end(of: book, attempts) == .refused([Refusal(.inviteUsed)]))
        #expect(attempts.count.withLock { $0 } == 2)
    }

    @Test func `leaves out the addresses for which a line has no room`() throws {
        let long = (1...4).map {
            Endpoint(host: String(repeating: "n", count: 60) + "\($0).example", port: 7410)
        }
        let line = try ControlHandlers.line(invite.inviter, long, invite.secret, invite.expires)
        #expect(line.utf8.count <= Limits.inviteLine)
        #expect(try InviteLine.decode(line).endpoints == Array(long.prefix(1)))
    }
}
