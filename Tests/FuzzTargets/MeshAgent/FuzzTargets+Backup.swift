import MeshBase

@testable import MeshAgent

/// The heads and the label in a backup, wherever it lay meanwhile.
extension FuzzTargets {
    static let backup = [
        FuzzTarget(
            "tar-header", longest: 512,
            samples: {
                [
                    ("BACKUP", 0), ("journal/0000000001-5be1a90c.journal", 16 << 20),
                    ("comity.db", 1 << 33 - 1),
                ]
                .map { TarHeader(name: $0.0, lengthInBytes: $0.1, modified: 1_790_000_000).bytes }
            },
            read: { bytes in
                let header: TarHeader?
                do throws(TarHeader.Flaw) {
                    header = try TarHeader(bytes)
                } catch {
                    return .refused
                }
                guard let header else { return .taken }
                // Others may fill fields that we leave empty: what counts comes back.
                let written = TarHeader(
                    name: header.name, lengthInBytes: header.lengthInBytes, modified: header.modified)
                try hold(try TarHeader(written.bytes) == header, "written back, it is another")
                let isKnown = BackupReader.limit(of: header.name) != nil
                try hold(!isKnown || !header.name.contains(".."), "\(header.name) leaves the folder")
                return .taken
            }),
        FuzzTarget(
            "backup-label", longest: 512,
            samples: {
                guard let name = NodeName("bakery") else { preconditionFailure("bakery is no name") }
                let made = WallTime(milliseconds: 1_790_000_000_000)
                return [Array(BackupLabel(node: NodeID(Digest.zero), name: name, made: made).text.utf8)]
            },
            read: { bytes in
                guard let text = String(validating: bytes, as: UTF8.self),
                    let label = BackupLabel(text: text)
                else { return .refused }
                try hold(Array(label.text.utf8) == bytes, "written back, it is another")
                return .taken
            }),
    ]
}
