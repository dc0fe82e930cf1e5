import MeshBase

@testable import MeshGossip
@testable import MeshWire

/// The messages of a reconciliation, and the decoder that eats what a peer wrote.
extension FuzzTargets {
    static let reconciliation = [symbolBatch, symbolRequest, elementRequest, symbolRow]

    private static let salt = Octets(Array(1...12))
    private static let tag = AudienceTag(digest: .zero)
    private static let key = SessionKey(ids: SipHash(key: 1, 2), checks: SipHash(key: 3, 4))

    private static func ids(_ count: UInt64, from first: UInt64 = 0) -> [SaltedID] {
        (first..<first + count).map { SaltedID($0 &* 0x9e37_79b9_7f4a_7c15) }
    }

    private static func row(_ count: UInt64, _ range: Range<Int>) -> SymbolBatch? {
        var encoder = SymbolEncoder(ids(count, from: 5), key: key)
        return encoder?.batch(range, salt: salt, nonce: salt)
    }

    static let symbolBatch = FuzzTarget(
        "symbol-batch",
        samples: {
            try [row(100, 0..<32), row(0, 0..<1), row(9, 500..<540)].compactMap { $0 }
                .map { try Document.encode($0) }
        },
        read: { bytes in
            let read = { try Document.decode(SymbolBatch.self, from: bytes, limit: Limits.framePayload) }
            guard let batch = try refusing(read) else { return .refused }
            try hold((1...SymbolBatch.symbolsMax).contains(batch.symbols.count), "too many symbols")
            try writesOnce(batch)
            return .taken
        })

    static let symbolRequest = FuzzTarget(
        "symbol-request",
        samples: { [try Document.encode(SymbolRequest(audience: tag, salt: salt, wanted: 32..<64))] },
        read: { bytes in
            let read = { try Document.decode(SymbolRequest.self, from: bytes, limit: Limits.framePayload) }
            guard let request = try refusing(read) else { return .refused }
            try hold(request.wanted.count <= SymbolBatch.symbolsMax, "\(request.wanted) is wanted")
            try writesOnce(request)
            return .taken
        })

    static let elementRequest = FuzzTarget(
        "element-request",
        samples: {
            [try Document.encode(ElementRequest(salt: salt, ids: ids(9).sorted()))]
        },
        read: { bytes in
            let read = { try Document.decode(ElementRequest.self, from: bytes, limit: Limits.framePayload) }
            guard let request = try refusing(read) else { return .refused }
            try hold(request.ids.count <= ElementRequest.idsMax, "\(request.ids.count) ids")
            try writesOnce(request)
            return .taken
        })

    /// A row as it stands in a batch, 16 bytes a symbol: whatever it says, the decoder ends within its bound,
    /// and what it gives out is a difference of the set at hand.
    static let symbolRow = FuzzTarget(
        "symbol-row", longest: 16 * 256,
        samples: {
            [row(100, 0..<256), row(96, 0..<256)].compactMap { $0 }.map { batch in
                batch.symbols.flatMap {
                    $0.idSum.bigEndianBytes
                        + UInt64($0.checkSum).bigEndianBytes.suffix(4)
                        + UInt64(UInt32(bitPattern: $0.count)).bigEndianBytes.suffix(4)
                }
            }
        },
        read: { bytes in
            func number(_ run: ArraySlice<UInt8>) -> UInt64 { run.reduce(0) { $0 << 8 | UInt64($1) } }
            let symbols = (0..<bytes.count / 16).map { place in
                let run = bytes[place * 16..<place * 16 + 16]
                return CodedSymbol(
                    idSum: number(run.prefix(8)), checkSum: UInt32(number(run.dropFirst(8).prefix(4))),
                    count: Int32(truncatingIfNeeded: number(run.suffix(4))))
            }
            let own = ids(98, from: 3)
            guard let encoder = SymbolEncoder(own, key: key), let head = symbols.first else {
                return .refused
            }
            var decoder = SymbolDecoder(encoder)
            let size = min(max(Int(head.count), 0), 1_000)
            while case .wants(let range) = decoder.progress {
                let stretch = Array(symbols[min(range.lowerBound, symbols.count)...].prefix(range.count))
                let batch = SymbolBatch(
                    salt: salt, nonce: salt, setSize: size, first: range.lowerBound, symbols: stretch)
                _ = decoder.receive(batch)
            }
            guard case .complete(let found) = decoder.progress else { return .refused }
            try hold(Set(own).isSuperset(of: found.mine), "what was taken away was not there")
            try hold(Set(own).isDisjoint(with: found.theirs), "what was put in was there")
            try hold(own.count + found.theirs.count - found.mine.count == size, "another size")
            return .taken
        })
}
