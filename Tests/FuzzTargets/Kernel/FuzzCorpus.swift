import Foundation
import MeshBase

/// The kept inputs of one target, `Tests/FuzzCorpus/NAME.txt`: a line each, why it is kept and the bytes in
/// base64url (`-` for none). `reached` inputs run through code that others do not; any other word names what
/// the input broke.
public struct FuzzCorpus: Sendable {
    /// One kept input.
    public struct Entry: Sendable, Hashable {
        /// `reached`, or what it broke.
        public let reason: String
        /// The input.
        public let bytes: [UInt8]

        public init(reason: String, bytes: [UInt8]) {
            self.reason = reason
            self.bytes = bytes
        }
    }

    /// In the order of the file.
    public let entries: [Entry]

    /// What is kept of `target`; nothing when there is no file.
    /// - Throws: when the file cannot be read or a line is none of a corpus.
    public static func kept(of target: FuzzTarget) throws -> FuzzCorpus {
        let file = folder.appendingPathComponent(target.name + ".txt")
        guard FileManager.default.fileExists(atPath: file.path) else { return FuzzCorpus(entries: []) }
        return try FuzzCorpus(text: try String(contentsOf: file, encoding: .utf8), of: target.name)
    }

    /// Reads the text of a file.
    public init(text: String, of name: String) throws {
        entries = try text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let bytes = words[1] == "-" ? [] : Base64URL.decode(words[1].utf8) else {
                throw Breach("\(name): no line of a corpus: \(line.prefix(80))")
            }
            return Entry(reason: String(words[0]), bytes: bytes)
        }
    }

    private init(entries: [Entry]) { self.entries = entries }

    /// A line of a file.
    public static func line(_ entry: Entry) -> String {
        "\(entry.reason) \(entry.bytes.isEmpty ? "-" : Base64URL.encode(entry.bytes))\n"
    }

    /// Where the files stand.
    public static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("FuzzCorpus")
}
