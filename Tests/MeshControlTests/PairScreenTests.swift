import MeshBase
import Testing

@testable import MeshControl

@Suite("The screen of comity pair") struct PairScreenTests {
    private let plain = Presentation(
        hasColour: false, width: 100, now: WallTime(milliseconds: 1_795_255_200_000), zone: .fixed(seconds: 0)
    )

    private func seen(_ names: String...) -> [PairSighting] {
        names.enumerated().map { number, name in
            PairSighting(name: NodeName(name)!, endpoints: [Endpoint("10.0.0.\(number + 1):7410")!])
        }
    }

    private func report(_ state: PairState, _ seen: [PairSighting] = [], words: [String] = []) -> PairReport {
        PairReport(window: 1, state: state, seen: seen, address: Endpoint("10.0.0.9:7410"), words: words)
    }

    @Test func `keys are read as terminals send them, and others passed over`() {
        #expect(
            TerminalKey.keys(in: Array("\u{1b}[A\u{1b}OBy\r\u{3}\u{7f}\u{1b}".utf8))
                == [.up, .down, .letter("y"), .enter, .end])
    }

    @Test func `arrows choose, enter and digits pick, and q ends`() {
        var screen = PairScreen(report(.listening, seen("attic", "bakery", "cellar")))
        #expect(screen.lines(plain).contains("> attic  10.0.0.1:7410"))
        #expect(screen.press(.down) == nil && screen.press(.down) == nil && screen.press(.down) == nil)
        #expect(screen.lines(plain).contains("> cellar  10.0.0.3:7410"))
        #expect(screen.press(.up) == nil)
        #expect(screen.press(.enter) == .dial(seen("attic", "bakery")[1]))
        #expect(screen.press(.letter("3")) == .dial(seen("attic", "bakery", "cellar")[2]))
        #expect(screen.press(.letter("4")) == nil && screen.press(.letter("y")) == nil)
        #expect(screen.press(.letter("q")) == .end)
    }

    @Test func `the chosen one stays chosen when others come and go`() {
        let three = seen("attic", "bakery", "cellar")
        var screen = PairScreen(report(.listening, Array(three.dropFirst())))
        _ = screen.press(.down)
        screen.show(report(.listening, three))
        #expect(screen.press(.enter) == .dial(three[2]))
        screen.show(report(.listening, Array(three.prefix(1))))
        #expect(screen.press(.enter) == .dial(three[0]))
        screen.show(report(.listening))
        #expect(screen.press(.enter) == nil && screen.press(.down) == nil)
        #expect(screen.lines(plain).last?.contains("comity pair HOST:PORT") == true)
    }

    @Test func `at the words only y and n answer, and to these words`() {
        let words = ["acorn", "tiger", "zebra", "lemon"]
        var screen = PairScreen(report(.comparing, words: words))
        #expect(screen.lines(plain).contains("      acorn tiger zebra lemon"))
        #expect(screen.press(.enter) == nil && screen.press(.letter("q")) == nil)
        #expect(screen.press(.letter("y")) == .answer(words: words, accept: true))
        #expect(screen.press(.letter("N")) == .answer(words: words, accept: false))
        #expect(screen.press(.end) == .end)
        screen.show(report(.answered, words: words))
        #expect(screen.press(.letter("y")) == nil)
    }

    @Test func `what a stranger calls itself is a name and nothing else`() {
        // A name has no control character, so that no list can be drawn by who is in it.
        #expect(NodeName("a\u{1b}[2J") == nil && NodeName("") == nil)
    }
}
