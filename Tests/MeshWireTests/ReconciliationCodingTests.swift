import MeshBase
import Testing

@testable import MeshGossip
@testable import MeshWire

@Suite("Messages of a reconciliation")
struct ReconciliationCodingTests {
    private static let salt = Octets(Array(1...12))

    private static let nonce = Octets(Array(13...24))

    private static func batch(_ counts: [Int32], size: Int = 0, first: Int = 0) -> SymbolBatch {
        SymbolBatch(
            salt: salt, nonce: nonce, setSize: size, first: first,
            symbols: counts.map { CodedSymbol(idSum: .max, checkSum: 1, count: $0) })
    }

    private func read<Message: Decodable>(_ type: Message.Type, _ text: String) throws(WireError) -> Message {
        try Document.decode(type, from: Array(text.utf8), limit: Limits.framePayload)
    }

    /// A batch of these bytes.
    private func text(_ bytes: [UInt8], first: Int = 0, size: Int = 0, salt: Octets = salt) -> String {
        #"{"first":\#(first),"nonce":"\#(Base64URL.encode(Self.nonce.bytes))","#
            + #""salt":"\#(Base64URL.encode(salt.bytes))","size":\#(size),"#
            + #""symbols":"\#(Base64URL.encode(bytes))"}"#
    }

    @Test("have one form: the one that the specification shows")
    func form() throws {
        let batch = SymbolBatch(
            salt: Self.salt, nonce: Self.nonce, setSize: 100, first: 3,
            symbols: [
                CodedSymbol(idSum: 0x0102_0304_0506_0708, checkSum: 0x090a_0b0c, count: 39),
                CodedSymbol(idSum: 0, checkSum: 0, count: -120),
            ])
        // 2 * 100 / 5 = 40 are expected in symbol 3, 33 in symbol 4: -1 and -153, zig-zag 1 and 305.
        let bytes: [UInt8] = Array(1...12) + [1] + [UInt8](repeating: 0, count: 12) + [0xb1, 0x02]
        #expect(batch.packed == bytes)
        #expect(
            String(decoding: try Document.encode(batch), as: UTF8.self) == text(bytes, first: 3, size: 100))
        #expect(try read(SymbolBatch.self, text(bytes, first: 3, size: 100)) == batch)
    }

    @Test("hold any count, and the largest batch fits a frame")
    func counts() throws {
        let extremes: [Int32] = [.max, .min, -1, 0, 1, 63, 64, -64, -65, 8_191, 8_192]
        for batch in [Self.batch(extremes), Self.batch(extremes, size: SymbolEncoder.setMax, first: 7)] {
            #expect(try Document.decode(from: Document.encode(batch), limit: Limits.framePayload) == batch)
        }
        let most = Self.batch([Int32](repeating: .min, count: SymbolBatch.symbolsMax))
        #expect(try Document.encode(most).count < Limits.framePayload / 2)
        let request = ElementRequest(
            salt: Self.salt, ids: (1...5_000).lazy.map { SaltedID($0) })
        #expect(request.ids.count == ElementRequest.idsMax)
        #expect(try Document.encode(request).count < Limits.framePayload)
    }

    @Test("a batch has 1 024 symbols and not one more, none is cut short, and a count has one form")
    func bounds() throws {
        let symbol = [UInt8](repeating: 0, count: 13)
        func symbols(_ count: Int) -> [UInt8] { Array([[UInt8]](repeating: symbol, count: count).joined()) }
        let most = try read(SymbolBatch.self, text(symbols(SymbolBatch.symbolsMax)))
        #expect(most.symbols.count == SymbolBatch.symbolsMax)
        let head = symbol.prefix(12)
        let bad: [[UInt8]] = [
            symbols(SymbolBatch.symbolsMax + 1), [], Array(head), head + [0x80], head + [0x80, 0],
            head + [0xff, 0xff, 0xff, 0xff, 0x1f], head + [0x80, 0x80, 0x80, 0x80, 0x80, 0],
            symbol + [0],
        ]
        for bytes in bad {
            #expect(throws: WireError.self, "\(bytes)") { try read(SymbolBatch.self, text(bytes)) }
        }
        #expect(try read(SymbolBatch.self, text(head + [0xff, 0xff, 0xff, 0xff, 0x0f])).symbols.count == 1)
    }

    @Test("a set, a place and a salt are within their bounds")
    func fields() throws {
        let symbol = [UInt8](repeating: 0, count: 13)
        let short = Octets(Array(1...11))
        for (first, size, salt) in [
            (-1, 0, Self.salt), (0, -1, Self.salt), (SymbolEncoder.symbolsMax + 1, 0, Self.salt),
            (0, SymbolEncoder.setMax + 1, Self.salt), (0, 0, short),
        ] {
            #expect(throws: WireError.self) {
                try read(SymbolBatch.self, text(symbol, first: first, size: size, salt: salt))
            }
        }
        let salt = Base64URL.encode(Self.salt.bytes)
        let tag = Base64URL.encode([UInt8](repeating: 7, count: 32))
        for count in [0, -1, SymbolBatch.symbolsMax + 1] {
            #expect(throws: WireError.self) {
                try read(
                    SymbolRequest.self,
                    #"{"audience":"\#(tag)","count":\#(count),"first":0,"salt":"\#(salt)"}"#)
            }
        }
    }

    @Test("ids rise, are whole, and at least one")
    func ids() throws {
        let salt = Base64URL.encode(Self.salt.bytes)
        func request(_ bytes: [UInt8]) -> String {
            #"{"ids":"\#(Base64URL.encode(bytes))","salt":"\#(salt)"}"#
        }
        let one = [UInt8](repeating: 1, count: 8)
        let two = [UInt8](repeating: 2, count: 8)
        #expect(try read(ElementRequest.self, request(one + two)).ids.count == 2)
        for bad in [[], Array(one.prefix(7)), one + one, two + one] {
            #expect(throws: WireError.self) { try read(ElementRequest.self, request(bad)) }
        }
    }
}
