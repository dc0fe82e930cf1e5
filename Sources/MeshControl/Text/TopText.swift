import MeshBase

/// `comity top`: how calls go now.
public enum TopText {
    /// What one look shows: calls by node, and the ways that calls can go.
    public static func render(_ sample: TopSample, _ presentation: Presentation) -> String {
        var text = total(sample, presentation) + "\n"
        if !sample.calls.isEmpty { text += "\n" + calls(sample, presentation) }
        return text + "\n" + RouteText.render(RoutesReport(routes: sample.routes), presentation)
    }

    /// The same in at most `rows` lines: what does not fit is said in the last.
    public static func render(_ sample: TopSample, _ presentation: Presentation, rows: Int) -> [String] {
        let lines = render(sample, presentation).split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast().map(String.init)
        let most = max(2, rows)
        guard lines.count > most else { return lines }
        let left = presentation.ink(.faint, "… \(lines.count - most + 1) more lines: comity routes")
        return lines.prefix(most - 1) + [left]
    }

    private static func total(_ sample: TopSample, _ presentation: Presentation) -> String {
        let date = presentation.ink(.faint, presentation.date(sample.at))
        guard let seconds = sample.seconds else { return "\(date)  calls since the agent started" }
        func sum(_ rate: (CallRates) -> Double?) -> Double { sample.calls.compactMap(rate).reduce(0, +) }
        let (all, failed, refused) = (
            sum { $0.perSecond }, sum { $0.failuresPerSecond }, sum { $0.refusedPerSecond }
        )
        return "\(date)  \(presentation.ink(.bold, number(all))) calls a second, "
            + presentation.ink(failed > 0 ? .bad : .faint, "\(number(failed)) failed") + ", "
            + presentation.ink(refused > 0 ? .warning : .faint, "\(number(refused)) refused")
            + presentation.ink(.faint, ", in the last \(HumaneDuration.text(milliseconds: seconds * 1_000))")
    }

    private static func calls(_ sample: TopSample, _ presentation: Presentation) -> String {
        var table = TextTable(["NODE", "CALLS/S", "FAILED/S", "REFUSED/S", "MEDIAN", "P99", "SINCE START"])
        for rates in sample.calls {
            let (failed, refused) = (rates.failuresPerSecond ?? 0, rates.refusedPerSecond ?? 0)
            table.add([
                .init(rates.peer.title), .init(rates.perSecond.map(number) ?? "-"),
                .init(rates.failuresPerSecond.map(number) ?? "-", failed > 0 ? .bad : nil),
                .init(rates.refusedPerSecond.map(number) ?? "-", refused > 0 ? .warning : nil),
                .init(rates.medianMilliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(rates.p99Milliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(String(rates.ended)),
            ])
        }
        return table.render(presentation)
    }

    /// A rate as people read it: tenths below ten.
    private static func number(_ rate: Double) -> String {
        guard rate < 10 else { return String(Int(rate.rounded())) }
        let tenths = Int((rate * 10).rounded())
        return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
    }
}
