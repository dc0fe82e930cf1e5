import MeshBase
import MeshNode
import MeshTrust
import Testing

@testable import MeshAgent

@Suite("Who asks to join")
struct AskingJoinersTests {
    private let pin = Pin(Digest(Array(1...32))!)
    private let alpha = NodeName("alpha")!

    private func invite(_ number: Int) -> InviteName {
        InviteName(Octets(Array(repeating: UInt8(number), count: 8)))!
    }

    @Test("is remembered until the invite is over, so that they are never more than open invites")
    func forgotten() {
        var asking = AskingJoiners()
        for number in 0..<Limits.openInvites {
            asking.note(.confirmationWanted(invite(number), by: pin, name: alpha))
        }
        #expect(asking.count == Limits.openInvites)
        #expect(asking[invite(0)]?.name == alpha)
        // The book of invites takes no further one before one of these is over.
        asking.note(.persist(.trust(.inviteGone(invite(0)))))
        asking.note(.confirmationWanted(invite(100), by: pin, name: alpha))
        #expect(asking.count == Limits.openInvites)
        #expect(asking[invite(0)] == nil)
    }

    @Test("is the last one of each invite")
    func last() {
        var asking = AskingJoiners()
        asking.note(.confirmationWanted(invite(1), by: pin, name: alpha))
        asking.note(.confirmationWanted(invite(1), by: Pin(Digest(Array(2...33))!), name: alpha))
        #expect(asking.count == 1)
        #expect(asking[invite(1)]?.pin != pin)
    }
}
