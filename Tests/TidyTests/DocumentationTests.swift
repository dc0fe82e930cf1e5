import Foundation
import Testing

@Suite("Documentation")
struct DocumentationTests {
    @Test("every public declaration says what it is")
    func publicDeclarationsAreDocumented() {
        for file in SourceTree.sources {
            let bare = file.code.indices.filter { index in
                needsComment(file.code[index]) && !isDocumented(file, index)
            }
            expectNone(bare.map(file.place))
        }
    }

    @Test("every refusal code has its part in Docs/Codes.md, and every part its code")
    func codesAreDocumented() throws {
        let source = try SourceTree.text("Sources/MeshBase/RefusalCode.swift")
        let codes = Set(source.matches(of: /case \w+ = "([a-z-]+)"/).map { String($0.1) })
            .union(source.matches(of: /(?m)^ +case ([a-z]+)$/).map { String($0.1) })
        let page = try SourceTree.text("Docs/Codes.md")
        let parts = Set(page.matches(of: /(?m)^## ([a-z-]+)$/).map { String($0.1) })
        #expect(codes.count > 50)
        #expect(codes == parts, "they differ in \(codes.symmetricDifference(parts).sorted())")
    }

    @Test("every link between the pages leads to a file")
    func linksLead() throws {
        let manager = FileManager.default
        let docs = SourceTree.root.appendingPathComponent("Docs").path
        let pages =
            manager.enumerator(atPath: docs)?.compactMap { ($0 as? String).map { "Docs/" + $0 } } ?? []
        for page in pages + ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] where page.hasSuffix(".md") {
            let folder = SourceTree.root.appendingPathComponent(page).deletingLastPathComponent()
            for match in try SourceTree.text(page).matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) {
                let target = String(match.1)
                guard !target.contains("://") else { continue }
                let path = folder.appendingPathComponent(target).path
                #expect(manager.fileExists(atPath: path), "\(page) links to \(target)")
            }
        }
    }

    /// A plain initialiser only takes the properties, which say what they are; what a protocol requires is
    /// said at the protocol.
    private func needsComment(_ line: String) -> Bool {
        let code = line.trimmingCharacters(in: .whitespaces)
        guard code.hasPrefix("public "), !code.hasPrefix("public extension"), !code.hasPrefix("public import")
        else { return false }
        if code.hasPrefix("public init("), !code.contains("throws") { return false }
        let standard = [
            "init(from decoder", "func encode(to encoder", "static func <", "static func ==",
            "func hash(into",
            "var description: String", "var debugDescription: String", "mutating func next()", "typealias",
            "init?(argument",
        ]
        // Of SignatureSuite, SignedBody and ControlOperation.
        let ours = [
            "func digest(_", "func authenticationCode(of", "func isValid(_", "func encoded(_",
            "static let kind", "static let path",
        ]
        return !(standard + ours).contains { code.contains($0) }
    }

    private func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
        var above = index - 1
        while above >= 0, file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
        return above >= 0 && file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("///")
    }
}
