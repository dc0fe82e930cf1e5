import Foundation
import GRDB
import Glibc
import MeshBase

@testable import MeshStore

/// What stands in this node's own files, after a disk or somebody has changed it.
extension FuzzTargets {
    static let store = [journal, rows]

    private static let salt: UInt32 = 0xc0_417
    private static let recordLimit = 2_048

    /// One segment's file behind its magic.
    private static let journal = FuzzTarget(
        "journal", longest: 8_192,
        samples: {
            var batch = JournalBatch([[1], [UInt8](repeating: 7, count: 300), Array("abc".utf8)])
            batch.fillHeads(of: 0..<batch.count, salt: salt)
            return [batch.bytes]
        },
        read: { bytes in
            let descriptor = try scratchFile(of: bytes)
            defer { close(descriptor) }
            var scanner = scanner(descriptor, from: 0, upTo: bytes.count)
            var place = 0
            var isSound = true
            while let item = try scanner.next() {
                switch item {
                case .record(let start, let end, let record):
                    try hold(start == place, "\(start) follows \(place)")
                    try hold(end == start + JournalFrame.headLength + record.count, "a record ends at \(end)")
                    try hold((1...recordLimit).contains(record.count), "a record of \(record.count) bytes")
                    try hold(
                        Array(bytes[(end - record.count)..<end]) == record, "other bytes than the file's")
                    place = end
                case .damage(let start, let end):
                    try hold(start == place && end > start, "damage of \(start) ..< \(end) behind \(place)")
                    place = end
                    isSound = false
                }
            }
            try hold(place == bytes.count, "ends at \(place) of \(bytes.count)")
            return isSound ? .taken : .refused
        })

    private static func scanner(_ descriptor: Int32, from start: Int, upTo end: Int) -> SegmentScanner {
        SegmentScanner(
            descriptor: descriptor, path: "scratch", salt: salt, from: start, upTo: end,
            recordLimit: recordLimit)
    }

    private static func scratchFile(of bytes: [UInt8]) throws -> Int32 {
        var template = Array((NSTemporaryDirectory() + "comity-fuzz-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        guard descriptor >= 0,
            bytes.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count
        else { throw Breach("no scratch file: \(errno)") }
        return descriptor
    }

    /// A row that this program wrote, with columns changed: for each a byte that chooses it, one that chooses
    /// the kind of value, and a string.
    private static let rows = FuzzTarget(
        "rows", longest: 512,
        samples: { [[]] },
        read: { bytes in
            var columns = soundColumns
            let names = columns.keys.sorted()
            var rest = bytes[...]
            while let choice = rest.popFirst(), let kind = rest.popFirst(), let length = rest.popFirst() {
                let content = Array(rest.prefix(Int(length)))
                rest = rest.dropFirst(Int(length))
                columns[names[Int(choice) % names.count]] = value(kind, content)
            }
            let reader = ColumnReader(row: Row(columns), table: "any", path: "scratch")
            let isSound = [
                try isRead(PeerRow.self, reader), try isRead(PeerEndpointRow.self, reader),
                try isRead(InviteRow.self, reader), try isRead(HeadRow.self, reader),
                try isRead(RecordRow.self, reader), try isRead(HouseRow.self, reader),
                try isRead(DomainAgreementRow.self, reader), try isRead(ConvictionRow.self, reader),
                try isRead(RouteRow.self, reader),
            ]
            return isSound.contains(false) ? .refused : .taken
        })

    private static func value(_ kind: UInt8, _ content: [UInt8]) -> (any DatabaseValueConvertible)? {
        switch kind % 5 {
        case 0: nil
        case 1: String(decoding: content, as: UTF8.self)
        case 2: Data(content)
        case 3: content.reduce(Int64(0)) { $0 &* 256 &+ Int64($1) }
        default: Double(content.count) + 0.5
        }
    }

    private static func isRead<Stored: StoredRow>(_ type: Stored.Type, _ columns: ColumnReader) throws -> Bool
    {
        do {
            _ = try Stored(columns)
            return true
        } catch StoreError.corrupt {
            return false
        }
    }

    private static var soundColumns: [String: (any DatabaseValueConvertible)?] {
        let digest = Data(repeating: 1, count: 32)
        let node = "n" + String(repeating: "a", count: 52)
        return [
            "node_id": node, "name": "alpha", "state": "trusted", "identity_key": digest, "pin": digest,
            "inception": digest, "boot_number": Int64(1), "boot_random": Data(repeating: 1, count: 8),
            "trusted_since": Int64(1), "evidence": "{}", "updated": Int64(1), "endpoint": "a:1",
            "witness": "mdns", "last_success": nil, "id": Data(repeating: 1, count: 8),
            "secret": Data(repeating: 1, count: 16), "expires": Int64(1), "used_by_pin": nil,
            "wrong_proofs": Int64(0), "ask": Int64(0), "created": Int64(1), "owner": node, "audience": "pair",
            "epoch": Int64(0), "sequence": Int64(1), "root": digest, "document": digest, "key": "echo",
            "body": digest, "domain": "d" + String(repeating: "a", count: 52), "version": Int64(1),
            "anchor": digest, "content_id": digest, "agreement_id": "0190", "since": Int64(1),
            "resource": "echo", "via": "[\"\(node):3\"]",
            "choice":
                #"{"hedge":"p95","order":"spread","preferences":[{"factor":"1/4","#
                + #""label":{"key":"a","value":"b"}}]}"#,
        ]
    }
}
