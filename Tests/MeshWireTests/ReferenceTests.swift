import Foundation
import MeshBase
import Testing

@testable import MeshWire

/// The scanner against Foundation's parser, which is laxer: whatever ours takes, theirs takes, and reads the
/// same out of it.
@Suite("The scanner against a reference")
struct ReferenceTests {
    private func agrees(_ tree: DocumentTree, _ node: Int, _ other: Any) -> Bool {
        let children = tree.children(of: node)
        switch tree.nodes[node].content {
        case .text(let text): return (other as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        case .integer(let number): return (other as? NSNumber)?.int64Value == number
        case .boolean(let value): return (other as? NSNumber)?.boolValue == value
        case .array(let count):
            guard let array = other as? [Any], array.count == count, children.count == count else {
                return false
            }
            return zip(children, array).allSatisfy { agrees(tree, $0, $1) }
        case .object(let index):
            guard let object = other as? [String: Any], object.count == index.count else { return false }
            return children.allSatisfy { child in
                tree.nodes[child].name.flatMap { object[$0] }.map { agrees(tree, child, $0) } ?? false
            }
        }
    }

    /// Whether ours takes `bytes`; records an issue when theirs then disagrees.
    private func check(_ bytes: [UInt8]) -> Bool {
        let tree: DocumentTree
        do {
            tree = try DocumentTree(scanning: bytes, limit: 64 * 1024, textLimit: Limits.documentText)
        } catch {
            #expect(error.description.isPlain)
            return false
        }
        let shown = String(decoding: bytes, as: UTF8.self)
        do {
            let other = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(agrees(tree, 0, other), "read otherwise: \(shown)")
        } catch {
            Issue.record("taken by us alone: \(shown)")
        }
        return true
    }

    /// A random text that looks like JSON, mostly valid.
    private func json(_ mutation: inout Mutation, depth: Int) -> String {
        let scalars = [
            "0", "1", "-1", "-0", "007", "9007199254740991", "9007199254740992", "1.0", "1e3", "true",
            "false", "null", "\"\"",
            "\"a\"", "\"é\"", "\"e\u{301}\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\n\"",
            "\"\\/\\\\\\\"\"",
            "\"\u{200f}\"", "\"😀\"", "\"\\u0000\"", "\"a\tb\"",
        ]
        let spaces = ["", "", "", " ", "\n\t", "\r\n"]
        func space() -> String { spaces[mutation.below(spaces.count)] }
        let choice = mutation.below(depth > 5 ? 6 : 10)
        switch choice {
        case 0..<5: return scalars[[0, 1, 2, 5, 9, 10, 12, 13, 14, 16, 17, 20, 22][mutation.below(13)]]
        case 5: return scalars[mutation.below(scalars.count)]
        case 6, 7:
            let elements = (0..<mutation.below(4)).map { _ in
                space() + json(&mutation, depth: depth + 1) + space()
            }
            return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
        default:
            let members = (0..<mutation.below(4)).map { number in
                let name = mutation.below(20) == 0 ? "\\u006b0" : "k\(mutation.below(10) == 0 ? 0 : number)"
                return space() + "\"\(name)\"" + space() + ":" + space() + json(&mutation, depth: depth + 1)
                    + space()
            }
            return "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}"
        }
    }

    @Test("over generated documents and damaged ones")
    func generated() {
        var mutation = Mutation(seed: 19)
        var taken = 0
        for _ in 0..<4_000 {
            let bytes = Array(json(&mutation, depth: 0).utf8)
            if check(bytes) { taken += 1 }
            if check(mutation.damaged(bytes)) { taken += 1 }
        }
        #expect(taken > 1_500)
    }

    @Test("over noise")
    func noise() {
        var mutation = Mutation(seed: 20)
        for _ in 0..<20_000 { _ = check(mutation.bytes(mutation.below(12))) }
    }
}
