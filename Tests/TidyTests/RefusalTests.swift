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
        let sources = SourceTree.sources.filter { !$0.isOfCodeBook }
        for (code, page) in try CodePage.all() {
            // A code that waits in a variable is said elsewhere in its module.
            let makers = Set(sources.filter { $0.text.contains(code: code) }.map(\.module))
            let missing = page.values.filter { value in
                !sources.contains { makers.contains($0.module) && $0.text.contains("\"\(value)\"") }
            }
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
        let sources = SourceTree.sources.filter { !$0.isOfCodeBook }.map(\.text)
        for code in try CodePage.all().keys {
            #expect(sources.contains { $0.contains(code: code) }, "nothing says \(code)")
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
    /// What its expectations say.
    private let expectations: [String]
    /// All the rest of it.
    private let steps: String

    private static let codesMax = 4

    func expects(_ code: String) -> Bool {
        guard !steps.contains("Refusal(.\(code)") else { return false }
        return expectations.contains { text in
            text.contains(code: code) && !text.contains(/(?:for|after|of): \.[a-z]/)
                && text.matches(of: /(?:^|[^\w)\]])\.[a-z]\w+/).count <= Self.codesMax
        }
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
    /// Whether the case of this name stands in it, as `.name`, or the code's text as `"the-name"`.
    fileprivate func contains(code: String) -> Bool {
        guard !contains("\"\(code.codeText)\"") else { return true }
        var rest = self[...]
        while let found = rest.range(of: ".\(code)") {
            let next = rest[found.upperBound...].first
            if next.map({ !$0.isLetter && !$0.isNumber && $0 != "(" }) ?? true { return true }
            rest = rest[found.upperBound...]
        }
        return false
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
