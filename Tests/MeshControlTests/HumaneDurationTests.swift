import MeshBase
import Testing

@testable import MeshControl

@Suite struct HumaneDurationTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("2s", .seconds(2)), ("10m", .seconds(600)),
        ("24h", .seconds(86_400)),
        ("30d", .seconds(30 * 86_400)),
    ])
    func `a number and a unit are read`(text: String, duration: Duration) {
        #expect(HumaneDuration.parse(text) == duration)
    }

    @Test(arguments: [
        "", "s", "2", "-2s", "+2s", "2 s", "0s", "1.5h", "99999999999d", "9223372036854775807d", "2w", "٢s",
    ])
    func `anything else is refused`(text: String) {
        #expect(HumaneDuration.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.milliseconds(340), "340 ms"), (.milliseconds(1_250), "1.2 s"), (.seconds(2), "2 s"),
        (.seconds(59), "59 s"),
        (.seconds(65), "1 min 5 s"), (.seconds(7_200), "2 h"), (.seconds(3 * 86_400 + 4 * 3_600), "3 d 4 h"),
        (.seconds(-65), "-1 min 5 s"),
    ])
    func `people read at most two units`(duration: Duration, text: String) {
        #expect(HumaneDuration.text(duration) == text)
    }
}
