import NIOCore
import Testing

@testable import MeshAgent

@Suite("The pace of the loop's turns")
struct TurnPaceTests {
    private var pace = TurnPace()
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private mutating func turn(_ taken: TimeAmount, after pause: TimeAmount = .milliseconds(1)) -> Duration? {
        let began = now + pause
        now = began + taken
        return pace.note(from: began, to: now)
    }

    @Test("is told when it changes by as much as matters, again each second, and once when it is over")
    mutating func told() {
        #expect(turn(.microseconds(900)) == nil)
        #expect(turn(.milliseconds(40)) == .milliseconds(40))
        #expect(turn(.milliseconds(45)) == nil)
        #expect(turn(.milliseconds(80)) == .milliseconds(80))
        #expect(turn(.milliseconds(80), after: .seconds(1)) == .milliseconds(80))
        var last: Duration?
        var count = 0
        for _ in 0..<100 {
            guard let said = turn(.microseconds(60)) else { continue }
            (last, count) = (said, count + 1)
        }
        #expect(last == .zero && count < 40)
        #expect(turn(.microseconds(60), after: .seconds(5)) == nil)
    }

    @Test("a turn of just above what matters is no pace for ever")
    mutating func stuck() {
        #expect(turn(.microseconds(1_040)) == .microseconds(1_040))
        #expect((0..<10).contains { _ in turn(.microseconds(60)) == .zero })
    }
}
