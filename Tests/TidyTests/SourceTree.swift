import Foundation
import Testing

/// Holds when nothing was found; otherwise says where, one place a line.
func expectNone(_ places: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    guard !places.isEmpty else { return }
    Issue.record("\(places.joined(separator: "\n"))", sourceLocation: sourceLocation)
}

/// The files that the house's rules are about, found from where this file stands.
enum SourceTree {
    /// The folder of Package.swift.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file under `Sources`, in the order of their paths.
    static let sources = files(under: "Sources")
    /// Every Swift file under `Tests`, in the order of their paths.
    static let tests = files(under: "Tests")

    /// The text of a file of the repository.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func files(under folder: String) -> [SourceFile] {
        let start = root.appendingPathComponent(folder).path
        guard let walk = FileManager.default.enumerator(atPath: start) else { return [] }
        let paths = walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted()
        return paths.compactMap { path in
            FileManager.default.contents(atPath: start + "/" + path).map {
                SourceFile(path: folder + "/" + path, text: String(decoding: $0, as: UTF8.self))
            }
        }
    }
}

/// One Swift file, as written and with comments and the insides of string literals left out.
struct SourceFile: Sendable {
    /// From the repository's folder.
    let path: String
    /// As written.
    let lines: [String]
    /// The same lines, of which only the code is left.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        var reader = CodeReader()
        code = lines.map { reader.code(of: $0) }
    }

    /// The folder below `Sources` or `Tests`.
    var module: String { String(path.split(separator: "/")[1]) }

    /// The modules it imports, with the line of each.
    var imports: [(module: String, line: Int)] {
        code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ").map(String.init)
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
                words[..<position].allSatisfy({ $0.hasPrefix("@") || $0 == "public" || $0 == "internal" })
            else { return nil }
            let kinds = ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"]
            let named = kinds.contains(words[position + 1]) ? words[position + 2] : words[position + 1]
            return (String(named.prefix { $0 != "." }), index + 1)
        }
    }

    /// Where the code matches, as `path:line: text`.
    func places(matching pattern: some RegexComponent) -> [String] {
        code.indices.filter { code[$0].firstMatch(of: pattern) != nil }.map(place)
    }

    /// One line for a person to jump to.
    func place(_ index: Int) -> String {
        "\(path):\(index + 1): \(lines[index].trimmingCharacters(in: .whitespaces))"
    }
}

/// Reads lines in order and keeps the code: no comments, nothing between quotation marks.
private struct CodeReader {
    private enum Inside {
        case code
        case comment(depth: Int)
        case longText
    }
    private var inside = Inside.code

    mutating func code(of line: String) -> String {
        var kept = ""
        var rest = Substring(line)
        while !rest.isEmpty {
            switch inside {
            case .comment(let depth): skipComment(&rest, depth: depth)
            case .longText: skipLongText(&rest)
            case .code:
                if rest.hasPrefix("//") { return kept }
                if rest.hasPrefix("/*") {
                    inside = .comment(depth: 1)
                    rest = rest.dropFirst(2)
                } else if rest.hasPrefix("\"\"\"") {
                    inside = .longText
                    rest = rest.dropFirst(3)
                } else if rest.hasPrefix("\"") {
                    kept += "\"\""
                    rest = rest.dropFirst()
                    skipText(&rest)
                } else {
                    kept.append(rest.removeFirst())
                }
            }
        }
        return kept
    }

    private mutating func skipComment(_ rest: inout Substring, depth: Int) {
        if rest.hasPrefix("*/") {
            inside = depth == 1 ? .code : .comment(depth: depth - 1)
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix("/*") {
            inside = .comment(depth: depth + 1)
            rest = rest.dropFirst(2)
        } else {
            rest = rest.dropFirst()
        }
    }

    private mutating func skipLongText(_ rest: inout Substring) {
        guard let end = rest.range(of: "\"\"\"") else {
            rest = ""
            return
        }
        inside = .code
        rest = rest[end.upperBound...]
    }

    private func skipText(_ rest: inout Substring) {
        while let character = rest.first {
            rest = rest.dropFirst()
            if character == "\\" { rest = rest.dropFirst() }
            if character == "\"" { return }
        }
    }
}
