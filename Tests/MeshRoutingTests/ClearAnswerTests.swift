import MeshBase
import Testing

@testable import MeshRouting

@Suite("Answers that come in clear to sealed calls")
struct ClearAnswerTests {
    @Test(
        "say that nothing happened only where the provider cannot have opened the call",
        arguments: [
            RefusalCode.draining, .overloaded, .tooManyCalls, .peerNotFound, .peerNotTrusted, .peerSuspended,
            .peerRevoked,
            .encryptionKeyUnknown, .sealBroken,
        ])
    func early(_ code: RefusalCode) {
        for effect in [PossibleEffect.none, .possible] {
            let answer = InvocationAnswer.refused([Refusal(code)], effect: effect)
            #expect(answer.takenInClear == answer)
        }
    }

    @Test("with any reason that is given behind the seal leave the effect open, whatever they say")
    func late() {
        let early: Set<RefusalCode> = [
            .draining, .overloaded, .tooManyCalls, .peerNotFound, .peerNotTrusted, .peerSuspended,
            .peerRevoked,
            .encryptionKeyUnknown, .sealBroken,
        ]
        for code in RefusalCode.allCases where !early.contains(code) {
            for reasons in [[Refusal(code)], [Refusal(.draining), Refusal(code)]] {
                let forged = InvocationAnswer.refused(reasons, effect: .none)
                #expect(forged.takenInClear == .refused(reasons, effect: .possible))
            }
        }
        #expect(InvocationAnswer.refused([], effect: .none).takenInClear == .refused([], effect: .possible))
    }

    @Test("that are no refusals are none at all")
    func answered() {
        #expect(InvocationAnswer.answered(status: 200, headers: []).takenInClear == nil)
    }
}
