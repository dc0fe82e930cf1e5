import Foundation
import Testing

/// What `Docs/Codes.md` promises of a code is what the program does: the values it names are the values that
/// refusals carry, and a test provokes each.
@Suite("Refusals")
struct RefusalTests {
    @Test("a refusal carries no value that the page of its code does not name")
    func valuesAreNamed() throws {
        let pages = try CodePage.all()
        for made in MadeRefusal.all {
            guard let page = pages[made.code] else { continue }
            let unnamed = made.values.filter { !page.values.contains($0) }
            #expect(unnamed.isEmpty, "\(made.place) gives \(unnamed); name them in CodeBook+Values.swift")
        }
        #expect(MadeRefusal.all.count > 150)
    }

    @Test("no refusal is made without values, but where nothing is compared")
    func valuesAreGiven() throws {
        let pages = try CodePage.all()
        for made in MadeRefusal.all where !made.hasValues {
            #expect(pages[made.code]?.values.isEmpty ?? true, "\(made.place) says \(made.code) and not why")
        }
    }

    @Test("every value that a page names is given in a module that makes its code")
    func namedValuesAreGiven() throws {
        let words = MadeRefusal.words
        for (code, page) in try CodePage.all() {
            // A code that waits in a variable is said elsewhere in its module.
            let makers = words.values.filter { $0.contains(code) }
            let missing = page.values.filter { value in !makers.contains { $0.contains("\"\(value)\"") } }
            #expect(missing.isEmpty, "no module that makes \(code) gives \(missing)")
        }
    }

    @Test("every page says cause, comparison, values and the next command")
    func pagesAreWhole() throws {
        let pages = try CodePage.all()
        #expect(pages.count > 50)
        for (code, page) in pages { #expect(page.isWhole, "the page of \(code) lacks a part") }
    }

    @Test("every code is made by the program: one that nothing says would be dead")
    func codesAreMade() throws {
        let words = MadeRefusal.words.values
        for code in try CodePage.all().keys {
            #expect(words.contains { $0.contains(code) }, "nothing says \(code)")
        }
    }

    /// `Scripts/provoke-codes` sees that these tests fail when the code is not said.
    @Test("every code has a test that expects it as the outcome of what happened before")
    func codesAreProvoked() throws {
        let provocations = Provocation.all
        for code in try CodePage.all().keys.sorted() {
            let provoking = provocations.filter { $0.expects(code) }
            #expect(!provoking.isEmpty, "no test provokes \(code)")
            // For the script: one line a code.
            if ProcessInfo.processInfo.environment["COMITY_LIST_PROVOCATIONS"] == "1" {
                print("provoked \(code.codeText) \(provoking.map(\.name).joined(separator: "|"))")
            }
        }
    }
}

/// One part of `Docs/Codes.md`.
private struct CodePage {
    let values: [String]
    let isWhole: Bool

    /// By the name of the code's case.
    static func all() throws -> [String: CodePage] {
        let text = try SourceTree.text("Docs/Codes.md")
        var pages: [String: CodePage] = [:]
        for part in text.components(separatedBy: "\n## ").dropFirst() {
            let lines = part.components(separatedBy: "\n").filter { !$0.isEmpty }
            guard let code = lines.first else { continue }
            let words = code.split(separator: "-")
            let name = words.prefix(1).map(String.init) + words.dropFirst().map(\.capitalized)
            let values = lines.first { $0.hasPrefix("- Values: ") } ?? ""
            pages[name.joined()] = CodePage(
                values: values.matches(of: /`([^`]+)`/).map { String($0.1) },
                isWhole: lines.count == 5 && lines[1].count > 15 && lines[2].hasPrefix("- Compared: ")
                    && lines[3].hasPrefix("- Values: ") && lines[4].hasPrefix("- Next: "))
        }
        return pages
    }
}

/// One place that makes a refusal, as far as it can be read: `Refusal(.code, [Fact("name", …)])`.
private struct MadeRefusal: Sendable {
    let place: String
    let code: String
    /// The names that stand there; others come in variables.
    let values: [String]
    let hasValues: Bool

    /// The cases that each module names, and its texts in quotation marks.
    static let words: [String: Set<String>] = {
        var words: [String: Set<String>] = [:]
        for file in SourceTree.sources where !file.isOfCodeBook {
            words[file.module, default: []].formUnion(file.text.casesAndTexts)
        }
        return words
    }()

    static let all: [MadeRefusal] = SourceTree.sources.filter { !$0.isOfCodeBook }.flatMap { file in
        file.text.matches(of: /\bRe(?:questRe)?fusal\(\s*\.(\w+)\b/).map { match in
            let call = file.text[match.range.lowerBound...].throughClosingBracket
            let line = file.text[..<match.range.lowerBound].count { $0 == "\n" } + 1
            return MadeRefusal(
                place: "\(file.path):\(line)", code: String(match.1),
                values: call.matches(of: /Fact\(\s*"([^"\\]+)"/).map { String($0.1) },
                hasValues: call.contains(","))
        }
    }
}

/// One test and the codes that it expects.
///
/// A test that makes the refusal by itself provokes nothing, nor does one that goes through a list.
private struct Provocation: Sendable {
    let name: String
    /// The cases and texts that its expectations name.
    private let expected: Set<String>
    /// The codes of which it makes refusals by itself.
    private let made: Set<String>

    private static let codesMax = 4

    /// - Parameters:
    ///   - expectations: what it expects, one call each.
    ///   - steps: all the rest of it.
    init(name: String, expectations: [String], steps: String) {
        self.name = name
        made = Set(steps.matches(of: /Refusal\(\s*\.(\w+)/).map { String($0.1) })
        expected = expectations.reduce(into: []) { words, text in
            let isList = text.matches(of: /(?:^|[^\w)\]])\.[a-z]\w+/).count > Self.codesMax
            guard !isList, !text.contains(/(?:for|after|of): \.[a-z]/) else { return }
            words.formUnion(text.casesAndTexts)
        }
    }

    func expects(_ code: String) -> Bool {
        !made.contains(code) && (expected.contains(code) || expected.contains("\"\(code.codeText)\""))
    }

    static let all: [Provocation] = SourceTree.tests.flatMap { file -> [Provocation] in
        let isOfWords =
            file.isOfCodeBook || file.module == "TidyTests" || file.path.hasSuffix("TextTests.swift")
        guard !isOfWords else { return [] }
        return file.text.components(separatedBy: "@Test").dropFirst().compactMap { test in
            guard let name = test.firstMatch(of: /func (`[^`]+`|\w+)/)?.1 else { return nil }
            var steps = test
            // Of arguments, each pair of what happens and what must come of it.
            let arguments = test[..<(test.range(of: "func ")?.lowerBound ?? test.startIndex)]
                .replacing(/\w+\([^()]*\)/, with: "_")
            var expectations = arguments.matches(of: /\([^()]*,[^()]*\)/).map { String($0.0) }
            // A helper that is told which code must come is an expectation too.
            for pattern in [/#(?:expect|require)\b[^(\n]*\(/, /\b\w*[rR]efuse[ds]?\(/] {
                while let start = steps.firstMatch(of: pattern) {
                    let call = String(steps[start.range.lowerBound...].throughClosingBracket)
                    expectations.append(call)
                    steps.replaceSubrange(
                        start.range.lowerBound..<steps.index(start.range.lowerBound, offsetBy: call.count),
                        with: "")
                }
            }
            return Provocation(
                name: String(name.filter { $0 != "`" }), expectations: expectations, steps: steps)
        }
    }
}

extension SourceFile {
    fileprivate var text: String { lines.joined(separator: "\n") }

    /// Files that say something of every code.
    fileprivate var isOfCodeBook: Bool {
        let names = ["RefusalCode.swift", "HTTPStatusTable.swift", "CodeBookTests.swift"]
        return path.contains("/Codes/") || names.contains { path.hasSuffix($0) }
    }
}

extension StringProtocol {
    /// Every `.name` in it that is not called, as `name`, and every text of one line, in its quotation marks.
    fileprivate var casesAndTexts: Set<String> {
        var found: Set<String> = []
        let bytes = Array(utf8)
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        var index = 0
        while index < bytes.count {
            var end = index + 1
            if bytes[index] == UInt8(ascii: ".") {
                while end < bytes.count, bytes[end].isOfWord { end += 1 }
                let isCall = end < bytes.count && bytes[end] == UInt8(ascii: "(")
                if !isCall, end > index + 1 { found.insert(text(index + 1..<end)) }
                index = end
            } else if bytes[index] == UInt8(ascii: "\"") {
                let stops = [UInt8(ascii: "\""), UInt8(ascii: "\n")]
                while end < bytes.count, !stops.contains(bytes[end]) { end += 1 }
                if end < bytes.count, bytes[end] == UInt8(ascii: "\"") { found.insert(text(index..<end + 1)) }
                index = end + 1
            } else {
                index = end
            }
        }
        return found
    }

    /// The text of the code whose case is named so.
    fileprivate var codeText: String {
        map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
    }

    /// From here to the bracket that closes the first one; brackets in texts do not count.
    fileprivate var throughClosingBracket: SubSequence {
        var depth = 0
        var isText = false
        var previous: Character = " "
        for index in indices {
            let character = self[index]
            if character == "\"" && previous != "\\" { isText.toggle() }
            if !isText && character == "(" { depth += 1 }
            if !isText && character == ")" {
                depth -= 1
                if depth == 0 { return self[...index] }
            }
            previous = character
        }
        return self[...]
    }
}

extension UInt8 {
    /// Whether it is a letter or a digit of ASCII.
    fileprivate var isOfWord: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
