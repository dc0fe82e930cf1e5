import MeshBase
import Testing

@testable import MeshWire

private struct Order: Codable, Equatable {
    enum Size: String, Codable { case small, large }
    enum Wrapping: Codable, Equatable {
        case none
        case paper(colour: String, layers: Int?)
    }
    struct Line: Codable, Equatable {
        var name: String
        var count: UInt8
    }
    struct Nothing: Codable, Equatable {}
    var zebra: Bool
    var apple: String?
    var size: Size
    var lines: [Line]
    var counts: [String: Int]
    var wrapping: Wrapping
    var nothing: Nothing
    var node: Digest
}

private let order = Order(
    zebra: true, apple: nil, size: .large, lines: [.init(name: "a\"b\\c/é", count: 255)],
    counts: ["z": -1, "B": 0],
    wrapping: .paper(colour: "red", layers: nil), nothing: .init(), node: .zero)

@Suite("Documents: writing")
struct DocumentWritingTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try Document.encode(value), as: UTF8.self)
    }

    @Test("a document above the limit of who sends it is refused, and not cut")
    func limited() throws {
        let length = try Document.encode(order).count
        #expect(try Document.encode(order, limit: length).count == length)
        #expect(throws: WireError.tooLong(bytes: length, limit: length - 1)) {
            try Document.encode(order, limit: length - 1)
        }
    }

    @Test("one value has one form: members sorted, no white space, nil left out, few escapes")
    func isCanonical() throws {
        #expect(
            try text(order)
                == #"{"counts":{"B":0,"z":-1},"lines":[{"count":255,"name":"a\"b\\c/é"}],"node":""#
                + String(repeating: "A", count: 43)
                + #"","nothing":{},"size":"large","wrapping":{"paper":{"colour":"red"}},"zebra":true}"#)
    }

    @Test("members are sorted by the bytes of their names, not as people would")
    func sortsByBytes() throws {
        #expect(try text(["é": 1, "z": 2, "Z": 3, "zz": 4, "": 5]) == #"{"":5,"Z":3,"z":2,"zz":4,"é":1}"#)
    }

    @Test("numbers go up to 2^53 - 1 either way, and no further")
    func boundsNumbers() throws {
        #expect(
            try text([9_007_199_254_740_991, -9_007_199_254_740_991])
                == "[9007199254740991,-9007199254740991]")
        for number in [Int64.min, Int64.max, 1 << 53, -(1 << 53)] {
            #expect(throws: WireError.unencodable("\(number) is beyond 2^53 - 1")) {
                try Document.encode(number)
            }
        }
        #expect(throws: WireError.self) { try Document.encode(UInt64.max) }
    }

    @Test("what has no form is refused: fractions, nil in an array, collections without an order")
    func refusesTheFormless() {
        #expect(throws: WireError.unencodable("a number with a fraction")) { try Document.encode([1.0]) }
        #expect(throws: WireError.unencodable("a number with a fraction")) { try Document.encode(Float(1)) }
        #expect(throws: WireError.self) { try Document.encode([Int?.none]) }
        #expect(throws: WireError.self) { try Document.encode(String?.none) }
        #expect(throws: WireError.unencodable("Set<Int> walks in no fixed order")) {
            try Document.encode([Set([1])])
        }
        #expect(throws: WireError.self) { try Document.encode([1: "a"]) }
    }

    @Test("whoever writes is held to the rules for texts that readers have")
    func refusesTexts() {
        #expect(throws: WireError.textRefused(.notPlain, at: 0)) { try Document.encode("a\u{0}") }
        #expect(throws: WireError.textRefused(.notPlain, at: 1)) { try Document.encode(["\u{202e}abc"]) }
        #expect(throws: WireError.textRefused(.notNormalised, at: 0)) { try Document.encode("e\u{301}") }
        #expect(throws: WireError.textRefused(.tooLong, at: 0)) {
            try Document.encode(String(repeating: " ", count: 257))
        }
        #expect(throws: Never.self) { try Document.encode(String(repeating: "-", count: 257)) }
        #expect(throws: Never.self) {
            try Document.encode(String(repeating: " ", count: 257), textLimit: 300)
        }
    }

    @Test("seventeen levels are one too many")
    func boundsDepth() throws {
        func nested(_ levels: Int) -> Nest {
            levels == 1 ? Nest(inner: []) : Nest(inner: [nested(levels - 1)])
        }
        #expect(throws: Never.self) { try Document.encode(nested(16)) }
        #expect(throws: WireError.tooDeep(at: 16)) { try Document.encode(nested(17)) }
        let bytes = try Document.encode(nested(16))
        #expect(try Document.decode(Nest.self, from: bytes, limit: 100) == nested(16))
    }
}

private struct Nest: Codable, Equatable {
    let inner: [Nest]
    init(inner: [Nest]) { self.inner = inner }
    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        var inner: [Nest] = []
        while !container.isAtEnd { inner.append(try container.decode(Nest.self)) }
        self.inner = inner
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for nest in inner { try container.encode(nest) }
    }
}

@Suite("Documents: reading")
struct DocumentReadingTests {
    private func read<Value: Decodable>(_ text: String, _ type: Value.Type = Value.self, limit: Int = 4096)
        throws(WireError) -> Value
    {
        try Document.decode(type, from: Array(text.utf8), limit: limit)
    }

    @Test("reads what it wrote")
    func roundTrip() throws {
        #expect(try Document.decode(Order.self, from: Document.encode(order), limit: 4096) == order)
        var bare = order
        bare.wrapping = .none
        bare.apple = "a"
        #expect(try Document.decode(Order.self, from: Document.encode(bare), limit: 4096) == bare)
    }

    @Test("takes members in any order, white space and needless escapes")
    func takesOtherWriters() throws {
        let line: Order.Line = try read(" {\t\"name\" :\r\n\"\\u0061\\/\\ud83d\\ude00\" , \"count\":7 } ")
        #expect(line == Order.Line(name: "a/😀", count: 7))
    }

    @Test("refuses a member that nobody asked for, wherever it stands")
    func refusesUnknownMembers() {
        #expect(throws: WireError.memberUnknown("more", at: 29)) {
            try read(#"{"name":"a","count":1,"more":{}}"#, Order.Line.self)
        }
        #expect(throws: WireError.memberUnknown("x", at: 5)) { try read(#"{"x":1}"#, Order.Nothing.self) }
        #expect(throws: WireError.memberUnknown("x", at: 19)) {
            try read(#"[{"inner":1},[{"x":1}]]"#, Loose.self)
        }
        #expect(throws: WireError.memberUnknown("(element)", at: 4)) { try read("[1, 2]", First.self) }
    }

    @Test("what an attempt at another shape read is not held as read")
    func forgetsFailedAttempts() throws {
        #expect(try read(#"{"number":1}"#, Either.self) == .number)
        #expect(try read(#"{"text":"a"}"#, Either.self) == .text)
        #expect(throws: WireError.memberUnknown("number", at: 10)) {
            try read(#"{"number":"a","text":"a"}"#, Either.self)
        }
    }

    @Test("refuses what is missing, of another kind, or out of range, and says where")
    func refusesWrongValues() {
        #expect(throws: WireError.memberMissing("count", at: 1)) {
            try read(#"[{"name":"a"}]"#, [Order.Line].self)
        }
        #expect(throws: WireError.kindMismatch(expected: "a text", at: 8)) {
            try read(#"{"name":1,"count":1}"#, Order.Line.self)
        }
        #expect(throws: WireError.kindMismatch(expected: "a whole number from 0 to 255", at: 20)) {
            try read(#"{"name":"a","count":256}"#, Order.Line.self)
        }
        #expect(throws: WireError.kindMismatch(expected: "a whole number", at: 0)) {
            try read("true", Int.self)
        }
        #expect(throws: WireError.kindMismatch(expected: "true or false", at: 0)) { try read("1", Bool.self) }
        #expect(throws: WireError.kindMismatch(expected: "no number with a fraction", at: 0)) {
            try read("1", Double.self)
        }
        #expect(throws: WireError.valueRefused("not 32 bytes in base64url", at: 1)) {
            try read(#"["AA"]"#, [Digest].self)
        }
        #expect(throws: WireError.self) { try read(#""huge""#, Order.Size.self) }
        #expect(throws: WireError.kindMismatch(expected: "an object", at: 0)) {
            try read("[]", Order.Line.self)
        }
        #expect(throws: WireError.self) { try read("[]", Order.Nothing.self) }
    }

    @Test(
        "refuses what two parsers could read in two ways",
        arguments: [
            (#"{"a":1,"a":2}"#, WireError.memberRepeated("a", at: 7)),
            (#"{"a":1,"\u0061":2}"#, .memberRepeated("a", at: 7)),
            ("1.0", .numberRefused(at: 0)), ("1e2", .numberRefused(at: 0)), ("-0", .numberRefused(at: 0)),
            ("01", .numberRefused(at: 0)), ("-01", .numberRefused(at: 0)),
            ("9007199254740992", .numberRefused(at: 0)),
            ("-9007199254740992", .numberRefused(at: 0)), ("99999999999999999999999", .numberRefused(at: 0)),
            ("1 2", .trailingBytes(at: 2)), ("{}\u{0}", .trailingBytes(at: 2)),
            (#""\ud800""#, .notUnicode(at: 3)),
            (#""\udc00""#, .notUnicode(at: 3)), (#""\ud800\u0041""#, .notUnicode(at: 3)),
            ("null", .nullRefused(at: 0)),
            ("[null]", .nullRefused(at: 1)), ("[1,]", .syntax("a value", at: 3)),
            (#"{"a":1,}"#, .syntax("a member's name", at: 7)),
            ("{a:1}", .syntax("a member's name", at: 1)), ("'a'", .syntax("a value", at: 0)),
            ("\u{feff}1", .syntax("a value", at: 0)),
            ("tru", .truncated(at: 3)), ("NaN", .syntax("a value", at: 0)), ("-", .truncated(at: 1)),
            ("", .truncated(at: 0)),
            (#""a"#, .truncated(at: 2)), (#""\x""#, .syntax("an escape", at: 2)),
            (#""\u12g4""#, .syntax("a hexadecimal digit", at: 5)),
            ("\"a\nb\"", .textRefused(.notPlain, at: 2)), (#""\n""#, .textRefused(.notPlain, at: 0)),
            (#""\u0000""#, .textRefused(.notPlain, at: 0)),
            (#"{"\u202e":1}"#, .textRefused(.notPlain, at: 1)),
            ("\"e\u{301}\"", .textRefused(.notNormalised, at: 0)), ("/**/1", .syntax("a value", at: 0)),
            ("+1", .syntax("a value", at: 0)),
        ])
    func refusesAmbiguity(_ text: String, _ error: WireError) {
        #expect(throws: error) { try DocumentTree(scanning: Array(text.utf8), limit: 100, textLimit: 256) }
    }

    @Test("refuses bytes that are not UTF-8, overlong forms and encoded surrogates")
    func refusesForeignBytes() {
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0xe2, 0x82, 0x22],
        ] {
            #expect(throws: WireError.notUnicode(at: 0)) {
                try DocumentTree(scanning: bytes, limit: 100, textLimit: 256)
            }
        }
    }

    @Test("does not look at a document that is too long, and follows none too deep")
    func isBounded() {
        #expect(throws: WireError.tooLong(bytes: 5, limit: 4)) { try read("[1,2]", [Int].self, limit: 4) }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: WireError.tooDeep(at: 16)) {
            try DocumentTree(scanning: deep, limit: .max, textLimit: 256)
        }
    }

    @Test("arrays and objects stand in sixteen others, and in not one more", arguments: ["[", #"{"a":"#])
    func depth(opening: String) throws {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ depth: Int) -> [UInt8] {
            let inner = opening == "[" ? "" : "0"
            let left = String(repeating: opening, count: depth)
            return Array((left + inner + String(repeating: closing, count: depth)).utf8)
        }
        _ = try DocumentTree(scanning: nested(Limits.documentDepth), limit: .max, textLimit: 256)
        #expect(throws: WireError.self) {
            try DocumentTree(scanning: nested(Limits.documentDepth + 1), limit: .max, textLimit: 256)
        }
    }

    @Test("a text above the limit is base64url or refused")
    func boundsTexts() throws {
        let long = String(repeating: "a", count: 257)
        #expect(try read("\"\(long)\"", String.self) == long)
        #expect(throws: WireError.textRefused(.tooLong, at: 0)) { try read("\"\(long) \"", String.self) }
        #expect(throws: WireError.textRefused(.tooLong, at: 1)) {
            try read("{\"\(long).\":1}", [String: Int].self)
        }
    }
}

/// Asks for the first member's whole and for nothing inside the second.
private struct Loose: Decodable {
    private enum CodingKeys: String, CodingKey { case inner }
    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        let nested = try container.nestedContainer(keyedBy: CodingKeys.self)
        _ = try nested.decode(Int.self, forKey: .inner)
        var array = try container.nestedUnkeyedContainer()
        _ = try array.nestedContainer(keyedBy: CodingKeys.self)
    }
}

private struct First: Decodable {
    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        _ = try container.decode(Int.self)
    }
}

private enum Either: Decodable {
    case number, text
    private struct Number: Decodable { let number: Int }
    private struct Text: Decodable {
        let text: String
    }
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            _ = try container.decode(Number.self)
            self = .number
        } catch {
            _ = try container.decode(Text.self)
            self = .text
        }
    }
}
