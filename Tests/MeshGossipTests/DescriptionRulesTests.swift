import Foundation
import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("A resource's description")
struct DescriptionRulesTests {
    private let suite = Samples.suite

    private func description(
        capabilities: [Capability] = Samples.resource("a").capabilities, labels: [ResourceLabel] = []
    ) -> ResourceDescription {
        ResourceDescription(
            name: Samples.name("a"), protocol: .http, capabilities: capabilities, labels: labels)
    }

    private func capability(_ name: String = "c", methods: [String] = ["GET"], path: String = "/")
        -> Capability
    {
        Capability(name: Samples.name(name), methods: methods, path: path, safety: .safe)
    }

    @Test("is sound when it keeps to every limit")
    func sound() {
        #expect(description().flaw(using: suite) == nil)
        #expect(Samples.bulkyResource("bulk").flaw(using: suite) == nil)
        let most = (0..<32).map { ResourceLabel(key: Samples.name("l\($0)"), value: "value") }
        #expect(description(labels: most).flaw(using: suite) == nil)
    }

    @Test("is refused without capabilities, with too many, and with two of one name")
    func capabilities() {
        #expect(description(capabilities: []).flaw(using: suite) != nil)
        let many = (0..<65).map { capability("c\($0)") }
        #expect(description(capabilities: many).flaw(using: suite) != nil)
        #expect(description(capabilities: [capability(), capability()]).flaw(using: suite) != nil)
    }

    @Test(
        "is refused with methods or paths that are none",
        arguments: [
            (["get"], "/"), ([], "/"), ([""], "/"), (["GET"], ""), (["GET"], "list"), (["GET"], "/\u{202e}x"),
            (["GET"], "/" + String(repeating: "a", count: 256)), (["GET POST"], "/"),
        ])
    func malformed(methods: [String], path: String) {
        #expect(
            description(capabilities: [capability(methods: methods, path: path)]).flaw(using: suite) != nil)
    }

    @Test("is refused with labels that are long, not plain, or too many")
    func labels() {
        for value in [String(repeating: "v", count: 257), "a\u{7}b", "\u{2066}x"] {
            let label = ResourceLabel(key: Samples.name("k"), value: value)
            #expect(description(labels: [label]).flaw(using: suite) != nil)
        }
        let many = (0..<33).map { ResourceLabel(key: Samples.name("l\($0)"), value: "v") }
        #expect(description(labels: many).flaw(using: suite) != nil)
    }

    @Test("is refused when its encoding is longer than a record's body")
    func length() {
        let labels = (0..<20).map {
            ResourceLabel(key: Samples.name("l\($0)"), value: String(repeating: "v", count: 250))
        }
        #expect(description(labels: labels).flaw(using: suite)?.value != nil)
    }
}

/// The simulator's cryptography over real JSON, whose lengths are those of the wire.
private struct JSONSuite: SignatureSuite {
    private let base = SimulatedSuite()
    func digest(_ bytes: [UInt8]) -> Digest { base.digest(bytes) }
    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest {
        base.authenticationCode(of: message, under: key)
    }
    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        base.isValid(signature, over: bytes, by: key)
    }
    func encoded(_ value: some Encodable & Sendable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try! encoder.encode(value))
    }
}

@Suite("A frame")
struct FrameRoomTests {
    private let suite = JSONSuite()
    /// Around a message: `{"body":…,"kind":"records"}`.
    private let envelope = 32
    /// A protected header of ES256 with `kid` and `typ`, in base64url, instead of the simulator's.
    private let header = 200

    @Test("holds the fullest head with the longest names and as many of its records as are pushed with it")
    func fullestPush() throws {
        let long = String(repeating: "n", count: 59)
        let resources = (0..<256).map { Samples.resource(long + "-\($0 + 1_000)") }
        try hold(resources, leastRecords: 32)
    }

    @Test("holds the fullest head with the largest records")
    func largestRecords() throws {
        try hold((0..<256).map { Samples.bulkyResource("bulk-\($0 + 1_000)") }, leastRecords: 4)
    }

    private func hold(_ resources: [ResourceDescription], leastRecords: Int) throws {
        let (alice, bob) = (Samples.alice, Samples.bob)
        var pair = AudienceRegistry(
            .pair(alice.node, bob.node), owner: alice.node, at: Samples.start.instant)
        pair.own.replace(with: resources, using: suite)
        guard case .sign(let head) = pair.own.next(at: Samples.start, using: suite) else {
            Issue.record("no head")
            return
        }
        let payload = Octets(suite.encoded(head))
        let request = SigningRequest(ticket: Ticket(1), kind: .head, payload: payload)
        #expect(
            pair.own.sign(
                Signed(body: head, payload: payload, signatures: [alice.sign(request)]), at: Samples.start)
                == true)
        let push = try #require(pair.push(using: suite))
        #expect(push.leaves.count == 256 && push.records.count >= leastRecords)
        let length = suite.encoded(push).count + header + envelope
        #expect(length <= Limits.framePayload, "\(length) bytes")
        #expect(payload.bytes.count <= Limits.documentPayload)
        let request64 = RecordRequest(
            position: head.position, keys: Array(resources.map(\.name).suffix(64)))
        #expect(suite.encoded(request64).count + envelope <= Limits.framePayload)
        let batch = pair.batch(of: pair.records(askedFor: request64), for: request64, using: suite)
        #expect(batch.records.count >= leastRecords)
        #expect(suite.encoded(batch).count + envelope <= Limits.framePayload)
    }
}
