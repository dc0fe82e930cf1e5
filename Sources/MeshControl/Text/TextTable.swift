/// Rows under one heading, their columns aligned by what stands in them.
///
/// A cell's ink does not count as width. The last column is cut to the width of the terminal; the others are
/// never cut, because names and codes are there to be copied.
struct TextTable {
    /// One cell.
    struct Cell {
        let text: String
        let ink: Ink?

        init(_ text: String, _ ink: Ink? = nil) {
            self.text = text.isPrintable ? text : text.madePrintable
            self.ink = ink
        }
    }

    private let heading: [String]
    private var rows: [[Cell]] = []

    /// - Parameter heading: one word for each column; empty: no heading line.
    init(_ heading: [String] = []) { self.heading = heading }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// One line for each row, each ended by a line feed; nothing without rows.
    func render(_ presentation: Presentation, indent: Int = 0) -> String {
        guard !rows.isEmpty else { return "" }
        let all = (heading.isEmpty ? [] : [heading.map { Cell($0, .faint) }]) + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { column < $0.count ? $0[column].text.columns : 0 }.max() ?? 0
        }
        return all.map { line(of: $0, widths, presentation, indent) + "\n" }.joined()
    }

    private func line(of cells: [Cell], _ widths: [Int], _ presentation: Presentation, _ indent: Int)
        -> String
    {
        var line = String(repeating: " ", count: indent)
        var column = indent
        for (position, cell) in cells.enumerated() {
            let isLast = position == cells.count - 1
            let text = isLast ? cell.text.cut(to: max(16, presentation.width - column)) : cell.text
            line += cell.ink.map { presentation.ink($0, text) } ?? text
            guard !isLast else { break }
            let gap = widths[position] - text.columns + 2
            line += String(repeating: " ", count: gap)
            column += widths[position] + 2
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}

extension String {
    /// Columns on a terminal, one for each character; texts of the mesh that are wider are rare and only
    /// misalign.
    var columns: Int { count }

    /// The text, or its beginning and `…` where it is longer than `width`.
    func cut(to width: Int) -> String { columns <= width ? self : prefix(max(0, width - 1)) + "…" }

    /// Whether it can be shown: no control characters, which could command the terminal.
    var isPrintable: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    }

    /// The text with `·` in place of each control character.
    var madePrintable: String {
        var shown = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            shown.append(isControl ? "·" : scalar)
        }
        return String(shown)
    }
}
