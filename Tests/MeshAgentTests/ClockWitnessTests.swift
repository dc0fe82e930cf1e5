import MeshBase
import Testing

@testable import MeshAgent

@Suite struct ClockWitnessTests {
    private func moment(_ instant: Int64, _ wall: Int64) -> Moment {
        Moment(
            instant: Instant(nanoseconds: instant * 1_000_000_000), wall: WallTime(milliseconds: wall * 1_000)
        )
    }

    @Test func `nobody vouches for a clock before a link came up`() {
        #expect(!ClockWitness().vouches(at: moment(10, 1_000_000)))
    }

    @Test func `a clock that goes on as it was when a link came up is vouched for, for as long as it does`() {
        var witness = ClockWitness()
        witness.agreed(at: moment(10, 1_000_000))
        #expect(witness.vouches(at: moment(10, 1_000_000)))
        #expect(witness.vouches(at: moment(10 + 90 * 86_400, 1_000_000 + 90 * 86_400)))
    }

    @Test func `a clock that was set by 300 s, either way, is vouched for no more, until it is set right`() {
        var witness = ClockWitness()
        witness.agreed(at: moment(10, 1_000_000))
        for jump in [300, -300, 365 * 86_400] as [Int64] {
            #expect(!witness.vouches(at: moment(20, 1_000_010 + jump)))
        }
        #expect(witness.vouches(at: moment(20, 1_000_010 + 299)))
        #expect(witness.vouches(at: moment(20, 1_000_010 - 299)))
    }
}
