import ArgumentParser
import Glibc
import MeshBase
import MeshControl

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How calls go, live: rates and times by node, and the ways that they can go.",
        discussion: """
            On a terminal the picture is drawn again in its place until Ctrl-C; elsewhere one follows the
            other, with --json a document a line. Medians and percentiles are as fine as the buckets of
            /metrics.

            Example: comity top --every 5s
            """)

    @OptionGroup var facts: FactOptions
    @Option(help: ArgumentHelp("How often to look, 200ms at least.", valueName: "time"))
    var every = TypedDuration(.seconds(1))
    @Option(help: ArgumentHelp("Stop after so many looks (default: never).", valueName: "number"))
    var count: Int?

    func validate() throws {
        if every.duration < .milliseconds(200) { throw ValidationError("--every is 200ms at least") }
        if let count, count < 1 { throw ValidationError("--count is 1 at least") }
    }

    func run() async throws {
        let isDrawn = !facts.json && isatty(STDOUT_FILENO) == 1
        var earlier: TopReport?
        var looks = 0
        while true {
            let report = try await facts.home.ask(ShowTop.self)
            try show(TopSample(report, since: earlier), isDrawn: isDrawn, isFirst: earlier == nil)
            earlier = report
            looks += 1
            if let count, looks >= count { return }
            try await Task.sleep(for: every.duration)
        }
    }

    private func show(_ sample: TopSample, isDrawn: Bool, isFirst: Bool) throws {
        if facts.json { return Terminal.out(try ControlCoding.line(sample) + "\n") }
        let presentation = Terminal.output(facts.home)
        guard isDrawn else {
            return Terminal.out((isFirst ? "" : "\n") + TopText.render(sample, presentation))
        }
        // Home, each line with the rest of its row cleared, then everything below: nothing flickers.
        let lines = TopText.render(sample, presentation, rows: (presentation.height ?? 24) - 1)
        let start = isFirst ? "\u{1b}[2J\u{1b}[H" : "\u{1b}[H"
        Terminal.out(start + lines.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J")
    }
}
