import MeshBase
import Testing

@testable import MeshNode

@Suite("The keys for sealed payloads, in time")
struct EncryptionTermTests {
    private let day = Duration.seconds(24 * 3600)

    private func key(_ number: UInt8) -> EncryptionKey {
        EncryptionKey([UInt8](repeating: number, count: 32))!
    }

    private func moment(after duration: Duration, clock: Duration = .zero) -> Moment {
        Moment(
            instant: Instant(nanoseconds: 1_000_000_000) + duration,
            wall: WallTime(milliseconds: 1_800_000_000_000) + duration + clock)
    }

    private func held(_ number: UInt8, made: Duration, previous: UInt8? = nil) -> HeldEncryptionKeys {
        HeldEncryptionKeys(
            current: key(number), made: moment(after: made).wall, previous: previous.map(key))
    }

    @Test("the first is ordered at once, and again each hour until it is there")
    func first() {
        var term = EncryptionTerm(nil)
        #expect(term.next(at: moment(after: .zero)) == .make)
        #expect(term.nextDeadline == moment(after: .seconds(3600)).instant)
        #expect(term.next(at: moment(after: .seconds(3600))) == .make)
        term.keep(held(1, made: .seconds(3600)))
        #expect(term.next(at: moment(after: .seconds(3600))) == nil)
    }

    @Test("a key is renewed after thirty days and not before, and the one before goes a day later")
    func renewal() {
        var term = EncryptionTerm(held(1, made: .zero))
        #expect(term.next(at: moment(after: day * 30 - .milliseconds(1))) == nil)
        #expect(term.nextDeadline == moment(after: day * 30).instant)
        #expect(term.next(at: moment(after: day * 30)) == .make)
        term.keep(held(2, made: day * 30, previous: 1))
        #expect(term.next(at: moment(after: day * 31 - .milliseconds(1))) == nil)
        #expect(term.nextDeadline == moment(after: day * 31).instant)
        #expect(term.next(at: moment(after: day * 31)) == .dropPrevious)
        term.keep(held(2, made: day * 30))
        #expect(term.next(at: moment(after: day * 31)) == nil)
    }

    @Test("a key dated more than 300 s ahead is renewed: it would never end")
    func clock() {
        var term = EncryptionTerm(held(1, made: .zero))
        #expect(term.next(at: moment(after: .zero, clock: .seconds(-300))) == nil)
        #expect(term.next(at: moment(after: .zero, clock: .seconds(-301))) == .make)
    }

    @Test("whatever the clock does, it is looked at within the hour")
    func looks() {
        for seed in 1...200 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var term = EncryptionTerm(held(1, made: .zero, previous: seed % 2 == 0 ? 2 : nil))
            let clock = Duration.seconds(Int64(generator.number(below: 8_000_000)) - 4_000_000)
            let now = moment(after: .seconds(Int64(generator.number(below: 4_000_000))), clock: clock)
            _ = term.next(at: now)
            #expect(term.nextDeadline > now.instant && term.nextDeadline <= now.instant + .seconds(3600))
        }
    }
}
