import MeshBase
import Testing

@testable import MeshTelemetry

@Suite("The page of metrics")
struct MetricsPageTests {
    @Test("writes families with help, type and labels, and a family without samples as known")
    func families() {
        var requests = MetricFamily("a_requests_total", .counter, help: "How many.")
        requests.sample(.count(3), [(name: "method", value: "mdns"), (name: "status", value: "success")])
        var page = MetricsPage()
        page.add(requests)
        page.add(MetricFamily("b_days", .gauge, help: "How long."))
        #expect(
            page.text == """
                # HELP a_requests_total How many.
                # TYPE a_requests_total counter
                a_requests_total{method="mdns",status="success"} 3
                # HELP b_days How long.
                # TYPE b_days gauge

                """)
    }

    @Test("escapes what would end a label or a line")
    func escapes() {
        var family = MetricFamily("a", .gauge, help: "a\\b\nc\"d")
        family.sample(.count(1), [(name: "l", value: "a\\b\nc\"d")])
        #expect(family.text.hasPrefix("# HELP a a\\\\b\\nc\"d\n"))
        #expect(family.text.hasSuffix("a{l=\"a\\\\b\\nc\\\"d\"} 1\n"))
    }

    @Test("counts a distribution upwards, so that each bucket holds those below it")
    func distribution() {
        var family = MetricFamily("d_seconds", .histogram, help: "How long.")
        var durations = DurationHistogram(upTo: [.milliseconds(5), .seconds(1)])
        for milliseconds in [5, 1_495, 3_000] { durations.note(.milliseconds(milliseconds)) }
        family.distribution(durations, [(name: "method", value: "dns")])
        #expect(
            family.text == """
                # HELP d_seconds How long.
                # TYPE d_seconds histogram
                d_seconds_bucket{method="dns",le="0.005"} 1
                d_seconds_bucket{method="dns",le="1.0"} 1
                d_seconds_bucket{method="dns",le="+Inf"} 3
                d_seconds_sum{method="dns"} 4.5
                d_seconds_count{method="dns"} 3

                """)
    }

    @Test("days have five places, and go below zero when they are over")
    func days() {
        #expect(MetricValue.days(.seconds(86_400)).description == "1.0")
        #expect(MetricValue.days(.seconds(-43_200)).description == "-0.5")
        #expect(MetricValue.days(.seconds(1)).description == "1e-05")
    }
}
