import MeshBase
import Testing

@testable import MeshControl

@Suite struct TextTableTests {
    private let plain = Presentation(
        hasColour: false, width: 40, now: WallTime(milliseconds: 0), zone: .fixed(seconds: 0))

    @Test func `columns align and no line ends in blanks`() {
        var table = TextTable(["A", "LONGER", "C"])
        table.add([.init("one"), .init("x"), .init("")])
        table.add([.init("o"), .init("y"), .init("z")])
        #expect(table.render(plain, indent: 2) == "  A    LONGER  C\n  one  x\n  o    y       z\n")
    }

    @Test func `only the last column is cut to the terminal`() {
        var table = TextTable()
        table.add([.init(String(repeating: "a", count: 30)), .init(String(repeating: "b", count: 30))])
        #expect(
            table.render(plain) == String(repeating: "a", count: 30) + "  "
                + String(repeating: "b", count: 15) + "…\n")
    }

    @Test func `a text of others cannot command the terminal`() {
        var table = TextTable()
        table.add([.init("a\u{1b}[2Jb\u{9b}c\n")])
        #expect(table.render(plain) == "a·[2Jb·c·\n")
    }

    @Test func `a control character of the second set alone is shown as a dot`() {
        var table = TextTable()
        table.add([.init("a\u{9b}2J")])
        #expect(table.render(plain) == "a·2J\n")
    }

    @Test func `colour does not count as width`() {
        var colourful = plain
        colourful.hasColour = true
        var table = TextTable()
        table.add([.init("up", .good), .init("x")])
        table.add([.init("down"), .init("y")])
        #expect(table.render(colourful) == "\u{1b}[32mup\u{1b}[0m    x\ndown  y\n")
    }

    @Test func `a table without rows prints nothing`() {
        #expect(TextTable(["A"]).render(plain) == "")
    }
}
