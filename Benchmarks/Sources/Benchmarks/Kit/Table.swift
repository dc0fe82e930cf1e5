import Foundation

/// Findings as text for people: one paragraph for each comparison, columns aligned.
enum Table {
    private static let head = [
        "", "median", "least", "most", "ratio", "least", "most", "blocks", "bytes", "by",
    ]

    /// One comparison, its baseline first.
    static func text(of findings: [Finding]) -> String {
        guard let first = findings.first else { return "" }
        let rows = [head] + findings.enumerated().map { row(of: $1, isBaseline: $0 == 0) }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = zip(row, widths).enumerated().map { index, cell in
                let gap = String(repeating: " ", count: cell.1 - cell.0.count)
                return index == 0 ? cell.0 + gap : gap + cell.0
            }
            return "  " + cells.joined(separator: "  ")
        }
        let note = first.note.map { "    \($0)\n" } ?? ""
        return "\(first.area): \(first.title)\n" + note + lines.joined(separator: "\n") + "\n"
    }

    private static func row(of finding: Finding, isBaseline: Bool) -> [String] {
        let ratio = finding.ratio
        let ratios = isBaseline ? ["1", "", ""] : [ratio.median, ratio.least, ratio.most].map(plain)
        return [
            (isBaseline ? "= " : "  ") + finding.name, time(finding.cost.median), time(finding.cost.least),
            time(finding.cost.most),
        ] + ratios + [
            finding.allocations.map { plain($0.blocks) } ?? "-",
            finding.allocations.map { plain($0.bytes) } ?? "-",
            finding.clock,
        ]
    }

    /// Three figures and a unit.
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1e3: plain(nanoseconds) + " ns"
        case ..<1e6: plain(nanoseconds / 1e3) + " us"
        case ..<1e9: plain(nanoseconds / 1e6) + " ms"
        default: plain(nanoseconds / 1e9) + " s "
        }
    }

    private static func plain(_ number: Double) -> String {
        String(format: number == 0 || number >= 99.95 ? "%.0f" : number >= 9.995 ? "%.1f" : "%.2f", number)
    }
}
