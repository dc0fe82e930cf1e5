import Glibc
import MeshBase
import MeshControl

/// Where the person, or the script, sits that pairs.
protocol PairDesk {
    /// How long the next look may take, in milliseconds.
    var patience: Int64 { get }
    /// Shows how things stand; what is wished now, or nil.
    /// - Throws: when the report cannot be printed.
    mutating func show(_ report: PairReport) throws -> PairScreen.Wish?
    /// Says something beside.
    mutating func note(_ text: String)
    /// Leaves the terminal as it was.
    mutating func end()
}

/// A terminal with keys: a list that is drawn again in its place.
struct KeyboardDesk: PairDesk {
    let patience: Int64 = 150
    private var screen: PairScreen
    private var drawn: [String] = []
    private let presentation: Presentation
    private let keyboard = Keyboard()

    init(_ report: PairReport, _ presentation: Presentation) {
        screen = PairScreen(report)
        self.presentation = presentation
    }

    mutating func show(_ report: PairReport) throws -> PairScreen.Wish? {
        screen.show(report)
        var wish: PairScreen.Wish?
        for key in TerminalKey.keys(in: keyboard.read()) where wish == nil { wish = screen.press(key) }
        draw(screen.lines(presentation))
        return wish
    }

    mutating func note(_ text: String) {
        draw([])
        Terminal.note(text)
    }

    mutating func end() {
        draw([])
        keyboard.restore()
    }

    /// Only when something changed: up over what stands there, and clear to the end.
    private mutating func draw(_ lines: [String]) {
        guard lines != drawn else { return }
        let back = drawn.isEmpty ? "" : "\u{1b}[\(drawn.count)A\r\u{1b}[J"
        Terminal.note(back + lines.map { $0 + "\n" }.joined())
        drawn = lines
    }
}

/// The keyboard without line editing and echo, as long as this lives; Ctrl-C comes as a key, so that the
/// terminal is put right before the command ends.
final class Keyboard {
    private var original = termios()
    private var input = StandardInput()

    init() {
        tcgetattr(STDIN_FILENO, &original)
        var plain = original
        plain.c_lflag &= ~UInt32(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &plain)
    }

    /// What was typed since; nothing is waited for.
    func read() -> [UInt8] { input.available() }

    func restore() { tcsetattr(STDIN_FILENO, TCSANOW, &original) }
}

/// Plain lines: what changes is said once, and words are read from standard input unless they were given.
struct LineDesk: PairDesk {
    var patience: Int64 { expected == nil && isAsking ? 200 : 5_000 }
    private let expected: [String]?
    private let facts: FactOptions
    private var said: [String] = []
    private var isAsking = false
    private var asked: [String] = []
    private var typed: [UInt8] = []
    private var input = StandardInput()

    init(expected: [String]?, _ facts: FactOptions) {
        self.expected = expected
        self.facts = facts
    }

    mutating func show(_ report: PairReport) throws -> PairScreen.Wish? {
        guard report.state == .comparing else {
            isAsking = false
            sayOnce(report)
            return nil
        }
        if asked != report.words {
            asked = report.words
            isAsking = true
            if facts.json { Terminal.out(try ControlCoding.document(report) + "\n") }
            Terminal.note(PairText.comparing(report, Terminal.notes(facts.home)))
            if expected == nil { Terminal.note("type the four words of the other screen, or no: ") }
        }
        guard let answer = try expected ?? line() else { return nil }
        isAsking = false
        if answer == report.words { return .answer(words: report.words, accept: true) }
        if answer.isEmpty || answer == ["no"] { return .answer(words: report.words, accept: false) }
        return .differ(given: answer, shown: report.words)
    }

    mutating func note(_ text: String) { Terminal.note(text) }
    mutating func end() {}

    /// The next line of standard input; empty at its end, nil while there is none.
    private mutating func line() throws -> [String]? {
        typed += input.available()
        if let end = typed.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: typed[..<end], as: UTF8.self)
            typed.removeFirst(end + 1)
            return Pair.words(in: line)
        }
        guard typed.count <= 4_096, !input.isOver else { return [] }
        return nil
    }

    private mutating func sayOnce(_ report: PairReport) {
        let lines: [String] =
            switch report.state {
            case .listening: PairText.list(report.seen, chosen: nil, Terminal.notes(facts.home))
            case .dialling: [String(PairText.dialling(report).dropLast())]
            case .answered: [String(PairText.answered.dropLast())]
            case .comparing, .paired, .closed: []
            }
        for line in lines where !said.contains(line) {
            said.append(line)
            Terminal.note(line + "\n")
        }
    }
}

/// Standard input, read without waiting.
struct StandardInput {
    /// Whether nothing more will come.
    private(set) var isOver = false

    /// What is there; nothing is waited for.
    mutating func available() -> [UInt8] {
        var bytes: [UInt8] = []
        var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while !isOver, Glibc.poll(&poll, 1, 0) > 0, bytes.count < 4_096 {
            var chunk = [UInt8](repeating: 0, count: 512)
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else {
                isOver = true
                break
            }
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}
