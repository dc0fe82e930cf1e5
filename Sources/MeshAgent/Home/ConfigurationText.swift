import Yams

/// Reads the text of `config.yaml`, and of files that it names, into plain values with their lines. It takes
/// less than YAML offers: one document, no anchors and aliases (a few lines of them unfold into gigabytes),
/// no tags, keys that are plain text.
enum ConfigurationText {
    /// Bytes of the file.
    static let sizeLimit = 256 * 1024

    /// The settings at the top of the file; empty for an empty file.
    static func members(of bytes: [UInt8]) throws(SettingFlaw) -> [SettingValue.Member] {
        let value = try value(of: bytes)
        switch value.content {
        case .nothing: return []
        case .table(let members): return members
        case .text, .list:
            throw SettingFlaw(
                line: value.line, what: "the file holds \(value.kind)", fix: "write settings as key: value")
        }
    }

    /// What the file as a whole holds.
    static func value(of bytes: [UInt8]) throws(SettingFlaw) -> SettingValue {
        guard bytes.count <= sizeLimit else {
            throw SettingFlaw(
                what: "the file has more than \(sizeLimit) bytes", fix: "keep only settings in it")
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw SettingFlaw(what: "the file is not text in UTF-8", fix: "save it as UTF-8")
        }
        try refuseAnchors(in: bytes)
        guard let root = try composed(text) else { return SettingValue(.nothing) }
        return try value(of: root)
    }

    /// Composing compares keys, and a key of nested aliases takes for ever to compare: so they are looked for
    /// in the bytes, wherever a value could begin. A comment in which one seems to stand must be reworded.
    private static func refuseAnchors(in bytes: [UInt8]) throws(SettingFlaw) {
        var line = 1
        var before = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            defer { before = byte }
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), beginners.contains(before) else {
                continue
            }
            guard index + 1 < bytes.count, !spaces.contains(bytes[index + 1]) else { continue }
            throw SettingFlaw(
                line: line,
                what: "an anchor or alias ('\(Character(UnicodeScalar(byte)))' at the beginning of a word)",
                fix: "write the value itself; in a comment, put a space behind the sign")
        }
    }

    private static let spaces = Array(" \t\r\n".utf8)
    /// What may stand before the beginning of a value.
    private static let beginners = Array(" \t\r\n[{,:?-!".utf8)

    private static func composed(_ text: String) throws(SettingFlaw) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch {
            throw flaw(of: error)
        }
    }

    /// The library's errors quote the file; only their short sentence and line are kept.
    private static func flaw(of error: any Error) -> SettingFlaw {
        let fix = "look at the indentation and at missing quotes around there"
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return SettingFlaw(line: mark.line, what: "not YAML: \(problem)", fix: fix)
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { $0.prefix(60) }.sorted().joined(separator: ", ")
            return SettingFlaw(
                line: context.mark.line,
                what:
                    "the group that begins here has twice \(names)",
                fix: "keep one of the two")
        case .reader(let problem, _, _, _): return SettingFlaw(what: "not YAML: \(problem)", fix: fix)
        default: return SettingFlaw(what: "not YAML", fix: fix)
        }
    }

    private static func value(of node: Node) throws(SettingFlaw) -> SettingValue {
        let line = node.mark?.line
        guard node.anchor == nil else {
            throw SettingFlaw(line: line, what: "an anchor", fix: "write the value itself")
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isNothing = isPlain && ["", "~", "null"].contains(scalar.string)
            return SettingValue(isNothing ? .nothing : .text(scalar.string), line: line)
        case .sequence(let sequence):
            var elements: [SettingValue] = []
            for element in sequence { elements.append(try value(of: element)) }
            return SettingValue(.list(elements), line: line)
        case .mapping(let mapping):
            var members: [SettingValue.Member] = []
            for (key, member) in mapping {
                guard case .scalar(let name) = key, key.anchor == nil else {
                    throw SettingFlaw(
                        line: key.mark?.line, what: "a key that is not text", fix: "write key: value")
                }
                members.append(
                    SettingValue.Member(key: name.string, line: key.mark?.line, value: try value(of: member)))
            }
            return SettingValue(.table(members), line: line)
        case .alias:
            throw SettingFlaw(line: line, what: "an alias", fix: "write the value itself")
        }
    }
}
