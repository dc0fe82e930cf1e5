import MeshBase

/// The first file of a backup, `BACKUP`: what it is of. Lines of text, for people too.
public struct BackupLabel: Equatable, Sendable {
    /// Whose home it was.
    public let node: NodeID
    /// What that node called itself.
    public let name: NodeName
    /// Which moment all of it is of.
    public let made: WallTime

    static let fileName = "BACKUP"
    static let sizeLimit = 1_024
    private static let title = "comity-backup 1"

    init(node: NodeID, name: NodeName, made: WallTime) {
        self.node = node
        self.name = name
        self.made = made
    }

    var text: String { "\(Self.title)\nnode \(node)\nname \(name)\nmade \(made.milliseconds)\n" }

    /// Nil unless it is what `text` writes.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 5, lines[0] == Self.title, lines[4].isEmpty,
            let node = Self.value("node", lines[1]).flatMap({ NodeID($0) }),
            let name = Self.value("name", lines[2]).flatMap({ NodeName($0) }),
            let made = Self.value("made", lines[3]).flatMap({ Int64($0) }), made >= 0
        else { return nil }
        self.init(node: node, name: name, made: WallTime(milliseconds: made))
        guard self.text == text else { return nil }
    }

    private static func value(_ key: String, _ line: String) -> String? {
        line.hasPrefix(key + " ") ? String(line.dropFirst(key.count + 1)) : nil
    }
}
