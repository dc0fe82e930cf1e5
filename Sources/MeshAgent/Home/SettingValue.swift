/// What somebody wrote for a setting, before anybody knows whether it makes sense: one shape for YAML,
/// environment and options.
struct SettingValue: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case nothing
        case text(String)
        case list([SettingValue])
        case table([Member])
    }

    struct Member: Sendable, Equatable {
        let key: String
        let line: Int?
        let value: SettingValue
    }

    let content: Content
    /// Where it begins in `config.yaml`, from 1; nil when it stands elsewhere.
    let line: Int?

    init(_ content: Content, line: Int? = nil) {
        self.content = content
        self.line = line
    }

    /// What it is, for a message.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .text(let text): "\"\(text.prefix(60))\""
        case .list: "a list"
        case .table: "a group of settings"
        }
    }

    /// The elements: of a list, or of a text with commas, as the environment and options give it. Nil for
    /// anything else.
    var elements: [SettingValue]? {
        switch content {
        case .list(let elements): elements
        case .text(let text):
            text.split(separator: ",").map { SettingValue(.text(String($0.trimmingSpaces())), line: line) }
        case .nothing, .table: nil
        }
    }

    /// The members: of a table, or of a text like `1000=alice,1001=bob`. Nil for anything else.
    var members: [Member]? {
        switch content {
        case .table(let members): return members
        case .text(let text):
            var members: [Member] = []
            for part in text.split(separator: ",") {
                let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard halves.count == 2 else { return nil }
                members.append(
                    Member(
                        key: halves[0].trimmingSpaces(), line: line,
                        value: SettingValue(.text(halves[1].trimmingSpaces()), line: line)))
            }
            return members
        case .nothing, .list: return nil
        }
    }
}

/// What is wrong with a value, and where inside it.
struct SettingFlaw: Error, Sendable, Equatable {
    /// The place behind the setting's key: `[2].node`; empty for the value as a whole.
    var place = ""
    /// The line of that place.
    var line: Int?
    let what: String
    let fix: String
}

extension Substring {
    func trimmingSpaces() -> String {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return String(rest)
    }
}
