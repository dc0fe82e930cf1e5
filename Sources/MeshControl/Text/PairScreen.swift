import MeshBase

/// A key, as a terminal sends it.
public enum TerminalKey: Equatable, Sendable {
    case up
    case down
    case enter
    /// Ctrl-C, or Ctrl-D.
    case end
    case letter(Character)

    /// The keys in what was read; what is none is passed over.
    public static func keys(in bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = bytes[...]
        while let first = rest.popFirst() {
            switch first {
            case 0x1b where rest.starts(with: [0x5b, 0x41]), 0x1b where rest.starts(with: [0x4f, 0x41]):
                keys.append(.up)
                rest = rest.dropFirst(2)
            case 0x1b where rest.starts(with: [0x5b, 0x42]), 0x1b where rest.starts(with: [0x4f, 0x42]):
                keys.append(.down)
                rest = rest.dropFirst(2)
            case 0x0d, 0x0a: keys.append(.enter)
            case 0x03, 0x04: keys.append(.end)
            case 0x21...0x7e: keys.append(.letter(Character(UnicodeScalar(first))))
            default: break
            }
        }
        return keys
    }
}

/// `comity pair` in a terminal with keys: a list in which one picks, then words to say yes or no to.
///
///     listing --enter, digit--> picked (dial)      comparing --y--> yes   --n--> no
///     anything --q, Ctrl-C--> end
public struct PairScreen: Equatable, Sendable {
    /// What a key asks for.
    public enum Wish: Equatable, Sendable {
        case dial(PairSighting)
        case answer(words: [String], accept: Bool)
        /// Other words were given than those shown.
        case differ(given: [String], shown: [String])
        case end
    }

    private var report: PairReport
    private var chosen = 0

    public init(_ report: PairReport) { self.report = report }

    /// What stands in the list now; the chosen one stays chosen when others come and go.
    public mutating func show(_ report: PairReport) {
        let name = self.report.seen.indices.contains(chosen) ? self.report.seen[chosen] : nil
        self.report = report
        chosen = report.seen.firstIndex { $0 == name } ?? max(0, min(chosen, report.seen.count - 1))
    }

    /// What a key means where things stand; nil: nothing, or only that the list looks otherwise.
    public mutating func press(_ key: TerminalKey) -> Wish? {
        switch (report.state, key) {
        case (_, .end), (.listening, .letter("q")), (.dialling, .letter("q")): return .end
        case (.comparing, .letter(let letter)):
            switch letter.lowercased() {
            case "y": return .answer(words: report.words, accept: true)
            case "n": return .answer(words: report.words, accept: false)
            default: return nil
            }
        case (.listening, .up), (.listening, .letter("k")): chosen = max(0, chosen - 1)
        case (.listening, .down), (.listening, .letter("j")):
            chosen = max(0, min(report.seen.count - 1, chosen + 1))
        case (.listening, .enter):
            return report.seen.indices.contains(chosen) ? .dial(report.seen[chosen]) : nil
        case (.listening, .letter(let letter)):
            guard let number = letter.wholeNumberValue, report.seen.indices.contains(number - 1) else {
                return nil
            }
            return .dial(report.seen[number - 1])
        case (.comparing, _), (.dialling, _), (.answered, _), (.paired, _), (.closed, _): return nil
        }
        return nil
    }

    /// What stands on the screen, line by line.
    public func lines(_ presentation: Presentation) -> [String] {
        switch report.state {
        case .listening:
            let list = PairText.list(report.seen, chosen: chosen, presentation)
            let hint = report.seen.isEmpty ? "q ends" : "arrows and enter, or a digit, to pick; q ends"
            return ["waiting for the other node   (\(hint))"] + list
        case .dialling: return [String(PairText.dialling(report).dropLast())]
        case .comparing:
            return PairText.comparing(report, presentation).split(
                separator: "\n", omittingEmptySubsequences: false
            ).map(String.init).dropLast() + ["the same words on the other screen?  y yes   n no"]
        case .answered: return [String(PairText.answered.dropLast())]
        case .paired, .closed: return []
        }
    }
}
