import MeshControl
import Testing

@Suite("Limits as they are typed")
struct LimitTextTests {
    @Test(
        "a rate is calls in a span, and how many at once",
        arguments: [
            ("100/s", LimitsReport.Rate(calls: 100, seconds: 1, burst: 100)),
            ("6000/m:200", LimitsReport.Rate(calls: 6_000, seconds: 60, burst: 200)),
            ("5/h:1", LimitsReport.Rate(calls: 5, seconds: 3_600, burst: 1)),
        ])
    func rates(text: String, rate: LimitsReport.Rate) { #expect(LimitText.rate(text) == rate) }

    @Test("what is no rate or no quota is neither")
    func others() {
        for text in [
            "", "100", "/s", "100/", "100/d", "0/s", "-1/s", "+1/s", "1/s:", "1/s:0", "1/s:2:3", "1e3/s",
        ] {
            #expect(LimitText.rate(text) == nil, "\(text)")
        }
        for text in ["", "10/s", "10/days", "x/day", "0/day", "10/day/month"] {
            #expect(LimitText.quota(text) == nil, "\(text)")
        }
        #expect(LimitText.quota("10/day")?.period == .day && LimitText.quota("7/month")?.calls == 7)
    }
}
