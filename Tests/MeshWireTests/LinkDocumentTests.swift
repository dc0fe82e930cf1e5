import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust
import Testing

@testable import MeshWire

@Suite("Documents of a link")
struct LinkDocumentTests {
    private static let key = PublicKey(info: Array(repeating: 7, count: 91))
    private static let node = NodeID(Digest(Array(1...32))!)
    private static let nonce = Digest(Array(101...132))!

    /// A document as somebody with this pin would have signed it; the signature itself is checked elsewhere.
    private static func signed<Body: SignedBody>(_ body: Body) throws -> Signed<Body> {
        let payload = try Document.encode(body)
        let signer = Pin(Digest(Array(33...64))!)
        let input = JWS.signingInput(kind: Body.kind, signer: signer, payload: payload)
        let signature = DocumentSignature(
            signer: signer, input: Octets(input), value: Octets(Array(repeating: 9, count: 64)))
        return Signed(body: body, payload: Octets(payload), signatures: [signature])
    }

    private static func samples() throws -> [LinkDocument] {
        let inception = try signed(Inception(key: key, nextKeyDigest: nonce))
        let hello = Hello(
            versions: [1], bindings: [1], nonce: nonce, node: node, identityKey: key, inception: inception,
            boot: BootID(number: 1_795_229_494_556, random: .max),
            time: WallTime(milliseconds: 1_795_229_494_556))
        let name = try #require(InviteName(Octets(Array(1...8))))
        let denial = Denial(
            code: .clockSkew, reference: Octets([1, 2, 3]), facts: [Fact("here", "2026-11-21T10:00:00.000Z")])
        return [
            .handshake(.hello(InitiatorHello(hello: hello, invite: name))),
            .handshake(.answer(ResponderHello(hello: hello, proof: nil))),
            .handshake(.deny(denial)),
            .handshake(.hello(InitiatorHello(hello: hello, invite: nil, pairing: .words))),
            .handshake(.words(.commitment(WordCommitment(commitment: nonce)))),
            .handshake(.words(.nonce(WordNonce(nonce: nonce)))),
            .handshake(.words(.opening(WordNonce(nonce: nonce)))),
            .handshake(.words(.ready(WordReadiness(transcript: nonce)))),
            .reachRequest(ReachRequest(number: 7)),
            .reachAnswer(
                ReachAnswer(
                    number: 7,
                    attempts: [
                        ReachAttempt(endpoint: Endpoint(host: "::1", port: 7), because: nil),
                        ReachAttempt(
                            endpoint: Endpoint(host: "a.example", port: 8), because: .peerUnreachable),
                    ])),
            .trust(TrustNotice(decision: .suspend)),
            .listening(ListeningNotice(port: 7410, advertised: [Endpoint(host: "::1", port: 7)])),
            .goodbye(Goodbye(until: .started)), .goodbye(Goodbye(until: .never)),
            .need(NeedNotice(need: .needed)), .need(NeedNotice(need: .idle)),
            .agreement(.rejected(nonce, [Refusal(.agreementExpired, [Fact("until", "yesterday")])])),
        ]
    }

    @Test("come back as they were sent, and fit a message of the handshake")
    func roundTrip() throws {
        for document in try Self.samples() {
            let bytes = try Document.encode(document)
            #expect(bytes.count <= Limits.handshakeMessage)
            #expect(
                try Document.decode(LinkDocument.self, from: bytes, limit: Limits.handshakeMessage)
                    == document)
        }
    }

    @Test("are refused with a member too many, another kind's body, or bytes behind them")
    func strangers() throws {
        let notice = #"{"body":{"decision":"suspend"},"kind":"notice"}"#
        #expect(try read(notice) == .trust(TrustNotice(decision: .suspend)))
        for text in [
            #"{"body":{"decision":"suspend"},"kind":"notice","more":1}"#,
            #"{"body":{"decision":"suspend","more":1},"kind":"notice"}"#,
            #"{"body":{"decision":"suspend"},"kind":"listening"}"#,
            #"{"body":{"decision":"suspend"},"kind":"unheard-of"}"#,
            #"{"body":{"decision":"suspend"},"kind":"notice","kind":"notice"}"#,
            #"{"body":{"port":70000,"advertised":[]},"kind":"listening"}"#,
            #"{"body":{"correlation":"0190B5C2-0000-7000-8000-000000000001","number":1},"kind":"trace-request"}"#,
            notice + " {}",
        ] {
            #expect(throws: WireError.self, "\(text)") { try read(text) }
        }
    }

    @Test("never trap, whatever comes, and what is taken can be sent again")
    func damaged() throws {
        var mutation = Mutation(seed: 20_261_121)
        let samples = try Self.samples().map { try Document.encode($0) }
        var taken = 0
        for round in 0..<6_000 {
            let bytes = mutation.damaged(samples[round % samples.count])
            do throws(WireError) {
                let document = try Document.decode(
                    LinkDocument.self, from: bytes, limit: Limits.handshakeMessage)
                taken += 1
                _ = try Document.encode(document)
            } catch {
                continue
            }
        }
        #expect(taken > 0)
    }

    private func read(_ text: String) throws -> LinkDocument {
        try Document.decode(LinkDocument.self, from: Array(text.utf8), limit: Limits.handshakeMessage)
    }
}
