import Foundation
import MeshBase
import MeshRouting
import MeshWire
import Testing

@testable import MeshCredentials

/// The example of `Docs/Protocol.md`, Sealed payloads, which another program made from that page.
@Suite("The example of a sealed call in the protocol's page")
struct SealExampleTests {
    private let folder: TemporaryFolder
    private let example: [String: [UInt8]]
    private let keys: EncryptionKeys

    init() throws {
        folder = try TemporaryFolder()
        example = try Self.example()
        let secret = Base64URL.encode(example["secret"] ?? [])
        let path = folder.file("encryption.keys")
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data("x25519 1000 \(secret)\n".utf8),
                attributes: [.posixPermissions: 0o600]))
        keys = try EncryptionKeys.load(from: path)
    }

    /// Names on lines of their own, hexadecimal digits on those below.
    private static func example() throws -> [String: [UInt8]] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Docs/Protocol.md")
        var found: [String: [UInt8]] = [:]
        var name: String?
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        for line in lines.drop(while: { !$0.hasPrefix("**An example**") }) {
            let text = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("        "), let name {
                found[name, default: []] += bytes(text)
            } else if line.hasPrefix("    "), text.hasSuffix(":") {
                name = String(text.dropLast())
            } else if name != nil {
                break
            }
        }
        return found
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue).map { UInt8($0) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test("opens here, and what answers it here is what answered it there")
    func opens() throws {
        let head = try #require(example["head"])
        guard case .sealed(let sealed) = try InvocationCodec.received(from: head) else {
            return #expect(Bool(false), "it is not sealed")
        }
        var (seal, call) = try ProviderSeal.open(
            sealed, with: keys, from: try SealSamples.node(1), to: try SealSamples.node(2))
        #expect(call.correlation.description == "0193e4c0-1d00-7abc-8def-0123456789ab")
        #expect(call.attempt == 1 && call.remainingMilliseconds == 500 && call.body == .streamed(length: nil))
        #expect(call.agreement == Digest([UInt8](repeating: 7, count: 32)))
        #expect(call.principal == .local && call.purpose == Purpose("invoicing"))
        #expect(call.resource == ResourceName("orders") && call.capability == ResourceName("write"))
        #expect(call.method == "POST" && call.path == "/item/7" && call.query == "q=secret")
        #expect(call.idempotencyKey == "once" && call.headers == [HeaderField("x-recipe", "rye")])
        let body = try seal.open(try #require(example["body"]))
        #expect(String(decoding: body, as: UTF8.self) == "one piece, and another")
        #expect(try seal.finish().isEmpty)
        let nonce = [UInt8](201...216)
        let answer = try InvocationCodec.encode(.answered(status: 201, headers: []))
        let sealedAnswer = try seal.sealAnswer(answer, nonce: nonce)
        #expect(
            try InvocationCodec.encode(sealedAnswer: sealedAnswer, nonce: nonce) == example["answer"])
        let trailers = try InvocationCodec.encode(trailers: [HeaderField("x-events", "2")])
        #expect(try seal.seal(Array("baked".utf8)) + seal.end(trailers: trailers) == example["answerBody"])
    }
}
