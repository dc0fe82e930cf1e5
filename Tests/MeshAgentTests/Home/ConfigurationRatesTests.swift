import MeshBase
import MeshRouting
import Testing

@testable import MeshAgent

@Suite("Rates in the configuration")
struct ConfigurationRatesTests {
    private func reading(_ text: String) -> ConfigurationReading {
        readConfiguration("calls:\n  perPeer: \"\(text)\"\n")
    }

    @Test("are off by themselves, and read as those of an agreement are")
    func read() {
        #expect(readConfiguration().configuration.calls == CallRates())
        let samples: [(String, CallRate?, String)] = [
            ("off", nil, "off"),
            ("100/s:200", CallRate(calls: 100, seconds: 1, burst: 200), "100/s:200"),
            ("6000/m", CallRate(calls: 6_000, seconds: 60, burst: 6_000), "6000/m:6000"),
            ("1/h:1", CallRate(calls: 1, seconds: 3_600, burst: 1), "1/h:1"),
            (
                "1000000/s:1000000", CallRate(calls: 1_000_000, seconds: 1, burst: 1_000_000),
                "1000000/s:1000000"
            ),
        ]
        for (text, rate, shown) in samples {
            let reading = reading(text)
            #expect(reading.problems == [] && reading.configuration.calls.perPeer == rate, "\(text)")
            #expect(reading.value(of: "calls.perPeer")?.text == shown)
            #expect(self.reading(shown).configuration.calls == reading.configuration.calls)
        }
        let environment = readConfiguration(nil, ["COMITY_CALLS_PER_PRINCIPAL": "5/s"])
        #expect(environment.configuration.calls.perPrincipal == CallRate(calls: 5, seconds: 1, burst: 5))
    }

    @Test(
        "are refused where they are none, with the line and what fits",
        arguments: [
            "", "on", "0", "100", "0/s", "-1/s", "100/d", "100/s:0", "100/s:", "100/s:1:2", "1.5/s",
            "1000001/s", "1/s:1000001", "off/s",
        ])
    func mistaken(text: String) {
        let problems = reading(text).problems
        #expect(problems.map(\.key) == ["calls.perPeer"], "\(text)")
        #expect(problems.first?.fix.contains("CALLS/SPAN[:BURST]") == true)
    }
}
