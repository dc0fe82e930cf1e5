import MeshBase

/// TXT records as strangers announce them, strings with a length byte before each.
extension FuzzTargets {
    static let avahi = [
        FuzzTarget(
            "txt-record", longest: 1_200,
            samples: { ["\u{3}v=1\u{d}t=AAECAwQFBgc", "\u{4}pair\u{7}NAME=\u{c3}"].map { Array($0.utf8) } },
            read: { bytes in
                guard let record = TXTRecord(strings: strings(bytes)) else { return .refused }
                try hold(TXTRecord(strings: record.strings) == record, "announced again it is another")
                let keys = record.pairs.map { $0.key.lowercased() }
                try hold(Set(keys).count == keys.count, "one key twice: \(keys)")
                try hold(
                    record.strings.reduce(0) { $0 + $1.count + 1 } <= TXTRecord.lengthInBytes,
                    "longer than a record may be")
                return .taken
            })
    ]
}
