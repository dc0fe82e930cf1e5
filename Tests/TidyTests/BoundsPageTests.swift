import Foundation
import Testing

/// Docs/Bounds.md against the sources: a bound that nobody holds, or that no test knows, is none.
@Suite("The page of bounds")
struct BoundsPageTests {
    /// Bounds without a test of their own; the page says why.
    private let untested = ["connectTime", "clockSkewWarned"]

    @Test("has one line for each bound of the protocol, and no other")
    func isComplete() throws {
        let source = try SourceTree.text("Sources/MeshBase/Limits.swift")
        let bounds = source.matches(of: /static let (\w+)/).map { String($0.1) }
        let rows = try rows().prefix { $0.part == 1 }
        #expect(bounds.count > 40)
        #expect(bounds.sorted() == rows.map(\.bound).sorted())
    }

    @Test("names for each a file that holds it")
    func isHeld() throws {
        for row in try rows() {
            let code = try SourceTree.text(row.file).split(separator: "\n")
                .filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//") }.joined(separator: "\n")
            let name = row.part == 1 ? "Limits.\(row.bound)" : row.bound
            let isNamed = code.range(of: "\\b\(name)\\b", options: .regularExpression) != nil
            #expect(isNamed, "\(row.file) does not hold \(name)")
        }
    }

    @Test("names for each a test that exists")
    func isTested() throws {
        let tests = SourceTree.tests.filter { !$0.path.hasPrefix("Tests/TidyTests") }
        let text = tests.map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        for row in try rows() {
            if untested.contains(row.bound) {
                #expect(row.test == "-", "\(row.bound) has a test: it may leave the list")
                continue
            }
            let spellings = ["\"\(row.test)\"", "func `\(row.test)`", "func \(row.test)("]
            let isThere = spellings.contains { text.contains($0) }
            #expect(isThere, "\(row.bound): no test is called \(row.test)")
        }
    }

    private struct Row {
        /// 1: of the protocol, 2: of one module.
        let part: Int
        let bound: String
        let file: String
        let test: String
    }

    private func rows() throws -> [Row] {
        let parts = try SourceTree.text("Docs/Bounds.md").components(separatedBy: "\n## ").dropFirst()
        return parts.enumerated().flatMap { number, part in
            part.matches(of: /(?m)^\| `(\w+)` \| [^|]+ \| `([^`|]+)` \| ([^|]+) \|$/).map {
                Row(part: number + 1, bound: String($0.1), file: String($0.2), test: String($0.3))
            }
        }
    }
}
