import Foundation
import MeshBase
import Testing

@testable import MeshWire

private struct Note: SignedBody {
    static let kind = DocumentKind.agreement
    var text: String
    var attached: Signed<Leaf>?
}

private struct Leaf: SignedBody {
    static let kind = DocumentKind.inception
    var number: Int
}

private func pin(_ byte: UInt8) -> Pin { Pin(Digest([UInt8](repeating: byte, count: 32))!) }
private let value = [UInt8](repeating: 7, count: 64)

private func signed<Body: SignedBody>(_ body: Body, by signers: [Pin]) throws -> Signed<Body> {
    let payload = try Document.encode(body)
    let signatures = signers.map { JWS.signature(value, kind: Body.kind, signer: $0, payload: payload) }
    return Signed(body: body, payload: Octets(payload), signatures: signatures)
}

@Suite("Signed documents")
struct SignedDocumentTests {
    private func read(_ text: String) throws(WireError) -> Signed<Note> {
        try Document.decode(from: Array(text.utf8), limit: 128 * 1024)
    }

    /// An envelope of hand-written parts.
    private func envelope(
        _ header: String, payload: String = #"{"text":"a"}"#, signature: [UInt8] = value, more: String = ""
    ) -> String {
        let (protected, value) = (Base64URL.encode(header.utf8), Base64URL.encode(signature))
        let part = #"{"protected":"\#(protected)","signature":"\#(value)"\#(more)}"#
        return #"{"payload":"\#(Base64URL.encode(payload.utf8))","signatures":[\#(part)]}"#
    }

    private let header = #"{"alg":"ES256","kid":"\#(pin(1))","typ":"comity-agreement+json"}"#

    @Test("comes back as it was written, with the bytes that were signed, also one inside another")
    func roundTrip() throws {
        let leaf = try signed(Leaf(number: 4), by: [pin(3)])
        let note = try signed(Note(text: "hello", attached: leaf), by: [pin(1), pin(2)])
        let bytes = try Document.encode(note)
        let back = try Document.decode(Signed<Note>.self, from: bytes, limit: 64 * 1024)
        #expect(back == note)
        let parts = back.signatures[0].input.bytes.split(separator: UInt8(ascii: "."))
        #expect(Base64URL.decode(parts[1]) == back.payload.bytes)
        #expect(Base64URL.decode(parts[0]).map { String(decoding: $0, as: UTF8.self) } == header)
    }

    @Test("keeps the bytes of header and payload as they came, whatever their spacing")
    func keepsBytes() throws {
        let spaced = #"{ "typ":"comity-agreement+json", "alg":"ES256","kid":"\#(pin(1))" }"#
        let note = try read(envelope(spaced, payload: #" { "text" : "a" } "#))
        #expect(note.body.text == "a")
        #expect(note.payload.bytes == Array(#" { "text" : "a" } "#.utf8))
        #expect(note.signatures[0].input.bytes.starts(with: Base64URL.encode(spaced.utf8).utf8))
    }

    @Test("a header says ES256, one signer and the kind of the document, and nothing else")
    func refusesHeaders() {
        #expect(throws: Never.self) { try read(envelope(header)) }
        let refused = [
            #"{"alg":"none","kid":"\#(pin(1))","typ":"comity-agreement+json"}"#,
            #"{"alg":"ES256","kid":"\#(pin(1))","typ":"comity-inception+json"}"#,
            #"{"alg":"ES256","kid":"\#(pin(1))","typ":"comity-agreement+json","jku":"http://a.example"}"#,
            #"{"alg":"ES256","crit":["b64"],"kid":"\#(pin(1))","typ":"comity-agreement+json"}"#,
            #"{"alg":"ES256","kid":"\#(pin(1))"}"#,
            #"{"alg":"ES256","kid":"AA","typ":"comity-agreement+json"}"#,
            #"{"alg":"ES256","alg":"ES256","kid":"\#(pin(1))","typ":"comity-agreement+json"}"#, "", "[]",
        ]
        for header in refused { #expect(throws: WireError.self) { try read(envelope(header)) } }
    }

    @Test("an envelope has one or two signatures of 64 bytes by different signers, and no unprotected header")
    func refusesEnvelopes() throws {
        #expect(throws: WireError.envelopeRefused("a signature of 63 bytes", at: 0)) {
            try read(envelope(header, signature: [UInt8](repeating: 1, count: 63)))
        }
        #expect(throws: WireError.self) { try read(envelope(header, more: #","header":{"kid":"a"}"#)) }
        #expect(throws: WireError.self) { try read(#"{"payload":"e30","signatures":[]}"#) }
        #expect(throws: WireError.self) { try read(#"{"payload":"e30=","signatures":[]}"#) }
        let twice = try Document.encode(try signed(Note(text: "a"), by: [pin(1), pin(1)]))
        #expect(throws: WireError.envelopeRefused("two signatures by one signer", at: 0)) {
            try Document.decode(Signed<Note>.self, from: twice, limit: 4096)
        }
        let thrice = try Document.encode(try signed(Note(text: "a"), by: [pin(1), pin(2), pin(3)]))
        #expect(throws: WireError.envelopeRefused("3 signatures", at: 0)) {
            try Document.decode(Signed<Note>.self, from: thrice, limit: 4096)
        }
    }

    @Test("the payload is read as strictly as its envelope, and its errors say where in it")
    func refusesPayloads() {
        #expect(throws: WireError.payloadRefused(.memberRepeated("text", at: 12), at: 0)) {
            try read(envelope(header, payload: #"{"text":"a","text":"b"}"#))
        }
        #expect(throws: WireError.payloadRefused(.memberUnknown("more", at: 19), at: 0)) {
            try read(envelope(header, payload: #"{"text":"a","more":1}"#))
        }
        let long = #"{"text":"a"}"# + String(repeating: " ", count: Limits.documentPayload)
        #expect(throws: WireError.self) { try read(envelope(header, payload: long)) }
    }

    @Test("the largest payload fits in one frame")
    func fitsInOneFrame() throws {
        let payload =
            [UInt8](repeating: 0x20, count: Limits.documentPayload - 12) + Array(#"{"text":"a"}"#.utf8)
        let signatures = [pin(1), pin(2)].map {
            JWS.signature(value, kind: .agreement, signer: $0, payload: payload)
        }
        let bytes = try Document.encode(
            Signed(body: Note(text: "a"), payload: Octets(payload), signatures: signatures))
        #expect(bytes.count < Limits.framePayload)
        #expect(
            try Document.decode(Signed<Note>.self, from: bytes, limit: Limits.framePayload).payload.bytes
                == payload)
    }

    @Test("a decoder that keeps no bytes refuses to read one")
    func needsThisDecoder() throws {
        let bytes = try Document.encode(try signed(Leaf(number: 1), by: [pin(1)]))
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Signed<Leaf>.self, from: Data(bytes)) }
    }
}
