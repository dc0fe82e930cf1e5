import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Each proof of a handshake")
struct ProofTests {
    private func trusting() -> TrustTable {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "m"))
        table.makeTrust()
        for index in table.parties.indices {
            table.parties[index].events = []
            table.parties[index].sent = []
        }
        return table
    }

    private func answer(_ table: TrustTable) throws -> ResponderHello {
        guard case .answer(let answer)? = table.wire.first?.2 else { throw Missing() }
        return answer
    }

    private func accept(_ table: TrustTable) throws -> ResponderAccept {
        guard case .accept(let accept)? = table.wire.first?.2 else { throw Missing() }
        return accept
    }

    private func hello(_ table: TrustTable) throws -> InitiatorHello {
        guard case .hello(let hello)? = table.wire.first?.2 else { throw Missing() }
        return hello
    }

    private struct Missing: Error {}

    /// `hello` with these in place of its own.
    private func changed(
        _ hello: Hello, versions: [Int]? = nil, nonce: Digest? = nil, inception: Signed<Inception>? = nil,
        boot: BootID? = nil
    ) -> Hello {
        Hello(
            versions: versions ?? hello.versions, bindings: hello.bindings, nonce: nonce ?? hello.nonce,
            node: hello.node, identityKey: hello.identityKey, inception: inception ?? hello.inception,
            boot: boot ?? hello.boot, time: hello.time)
    }

    @Test("an answer whose proof another key signed is none")
    func answerByAnotherKey() throws {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        let answer = try answer(table)
        let body = try #require(answer.proof?.body)
        let forged = table.parties[2].key.sign(body)
        table.wire[0].2 = .answer(ResponderHello(hello: answer.hello, proof: forged))
        table.settle()
        #expect(table.refusals(0) == [.proofInvalid])
        #expect(!table.hasSentFinish(0))
    }

    @Test("an answer without a proof is none on a link")
    func answerWithoutProof() throws {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        table.wire[0].2 = .answer(ResponderHello(hello: try answer(table).hello, proof: nil))
        table.settle()
        #expect(table.refusals(0) == [.proofInvalid])
    }

    @Test("an answer with a proof is none under an invite")
    func answerWithProofUnderInvite() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        table.deliver()
        let proof = table.parties[0].key.sign(ResponderProof(transcript: .zero))
        table.wire[0].2 = .answer(ResponderHello(hello: try answer(table).hello, proof: proof))
        table.settle()
        #expect(table.refusals(1) == [.proofInvalid])
    }

    @Test("an acceptance that another key signed, or of another transcript, is none")
    func acceptanceForged() throws {
        var table = trusting()
        table.open(0, 1)
        for _ in 1...3 { table.deliver() }
        let accept = try accept(table)
        let body = accept.proof.body
        let other = Acceptance(transcript: .zero, accepted: body.accepted, grants: body.grants)
        for forged in [table.parties[2].key.sign(body), table.parties[1].key.sign(other)] {
            var copy = table
            copy.wire[0].2 = .accept(ResponderAccept(secretProof: nil, proof: forged))
            copy.settle()
            #expect(copy.refusals(0) == [.proofInvalid])
            #expect(copy.parties[0].admitted.isEmpty)
        }
    }

    @Test("a finish of another transcript is none, though its key signed it")
    func finishOfAnotherTranscript() throws {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        table.deliver()
        let proof = InitiatorProof(transcript: .zero, grants: Grants(name: NodeName("a")!, trust: true))
        table.wire[0].2 = .finish(
            InitiatorFinish(secretProof: nil, proof: table.parties[0].key.sign(proof)))
        table.settle()
        #expect(table.refusals(1) == [.proofInvalid])
    }

    @Test("a proof of a secret has no place on a link")
    func secretOnLink() throws {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        table.deliver()
        guard case .finish(let finish)? = table.wire.first?.2 else { throw Missing() }
        table.wire[0].2 = .finish(InitiatorFinish(secretProof: .zero, proof: finish.proof))
        table.settle()
        #expect(table.refusals(1) == [.handshakeMalformed])
    }

    @Test("a hello that was changed on its way fits no proof")
    func changedHello() throws {
        for versions in [[1, 0], [2, 1]] {
            var table = trusting()
            table.open(0, 1)
            let sent = try hello(table)
            let lower = changed(sent.hello, versions: versions, boot: BootID(number: 9, random: 9))
            table.wire[0].2 = .hello(InitiatorHello(hello: lower, invite: nil))
            table.settle()
            #expect(table.refusals(0) == [.proofInvalid])
            #expect(table.parties[0].admitted.isEmpty && table.parties[1].admitted.isEmpty)
        }
    }

    @Test("an answering hello that was changed on its way fits no proof")
    func changedAnswer() throws {
        var table = trusting()
        table.open(0, 1)
        table.deliver()
        let sent = try answer(table)
        let other = changed(sent.hello, boot: BootID(number: 9, random: 9))
        table.wire[0].2 = .answer(ResponderHello(hello: other, proof: sent.proof))
        table.settle()
        #expect(table.refusals(0) == [.proofInvalid])
    }

    @Test("an inception that its own key did not sign is none")
    func inceptionForged() throws {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
        table.open(1, 0, .pairing, secret: TrustTable.secret)
        let sent = try hello(table)
        let inception = SimulatedKey(666).sign(sent.hello.inception.body)
        table.wire[0].2 = .hello(
            InitiatorHello(hello: changed(sent.hello, inception: inception), invite: sent.invite))
        table.settle()
        #expect(table.refusals(0) == [.inceptionInvalid])
    }

    @Test("a second inception of a pinned key is none on a link, and makes no trust anew")
    func secondInception() throws {
        for isPairing in [false, true] {
            var table = trusting()
            let key = table.parties[0].key
            let second = key.sign(Inception(key: key.publicKey, nextKeyDigest: .zero))
            if isPairing {
                table.handle(
                    1,
                    .inviteRequested(
                        table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
                table.open(0, 1, .pairing, secret: TrustTable.secret)
            } else {
                table.open(0, 1)
            }
            let sent = try hello(table)
            table.wire[0].2 = .hello(
                InitiatorHello(hello: changed(sent.hello, inception: second), invite: sent.invite))
            table.settle()
            // Under an invite the joiner sees its hello changed in the inviter's silence: no proof fits.
            let expected: RefusalCode = isPairing ? .inviteProofWrong : .inceptionInvalid
            #expect(table.refusals(1) == [expected])
        }
    }

    @Test("one's own nonce, or one of zeros, is none of the other end's")
    func nonces() throws {
        for isZero in [false, true] {
            var table = trusting()
            let (_, theirs) = table.connect(0, 1)
            let secured = table.secured(1, to: 0, .responder, .peering)
            table.handle(1, .connectionSecured(theirs, secured, intent: nil))
            table.open(0, 1)
            let sent = try hello(table)
            let reflected = changed(sent.hello, nonce: isZero ? .zero : secured.nonce)
            table.handle(1, .messageArrived(theirs, .hello(InitiatorHello(hello: reflected, invite: nil))))
            #expect(table.refusals(1) == [.nonceReused])
        }
    }

    @Test("a signature ordered by a handshake that was begun anew goes nowhere")
    func signatureOfEarlier() throws {
        var table = trusting()
        table.holdsSignatures = true
        let (_, theirs) = table.open(0, 1)
        let sent = table.wire[0].2
        table.deliver()
        let again = table.secured(1, to: 0, .responder, .peering)
        table.handle(1, .connectionSecured(theirs, again, intent: nil))
        table.handle(1, .messageArrived(theirs, sent))
        #expect(table.awaitingSignature.count == 2)
        table.sign()
        let proof = try #require(try answer(table).proof)
        let signed = try #require(proof.signatures.first).input.bytes.suffix(proof.payload.bytes.count)
        #expect(Array(signed) == proof.payload.bytes)
    }

    @Test("the highest version that both speak is taken, and none is a refusal")
    func negotiation() {
        let key = SimulatedKey(1)
        let inception = key.sign(Inception(key: key.publicKey, nextKeyDigest: .zero))
        func hello(_ versions: [Int], _ bindings: [Int]) -> Hello {
            Hello(
                versions: versions, bindings: bindings, nonce: .zero, node: key.node,
                identityKey: key.publicKey, inception: inception, boot: BootID(number: 1, random: 1),
                time: WallTime(milliseconds: 0))
        }
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        let handshake = Handshake(table.secured(0, to: 1, .responder, .peering), intent: nil)
        guard
            case .allowed(let agreed) = handshake.negotiated(
                theirs: hello([1, 2], [1, 2]), ours: hello([3, 2, 1], [2, 1])),
            case .refused(let version) = handshake.negotiated(theirs: hello([4], [1]), ours: hello([3], [1])),
            case .refused(let binding) = handshake.negotiated(theirs: hello([3], [1]), ours: hello([3], [2]))
        else { return #expect(Bool(false), "negotiated otherwise") }
        #expect(agreed == (2, 2))
        #expect(version.code == .versionUnsupported && binding.code == .bindingUnsupported)
    }

    @Test("a transcript covers everything that either side said or showed")
    func transcriptCovers() throws {
        var table = trusting()
        table.open(0, 1)
        let sent = try hello(table)
        table.deliver()
        let answered = try answer(table)
        let one = table.parties[0].certificate()
        let other = table.parties[1].certificate()
        let suite = SimulatedSuite()
        func digest(
            version: Int = 1, binding: Int = 1, certificate: Digest? = nil, key: PublicKey? = nil,
            isTurned: Bool = false, hello: InitiatorHello? = nil
        ) -> Digest {
            let hello = hello ?? sent
            let mine = Transcript.Side(
                hello: hello.hello, certificateDigest: certificate ?? one.certificateDigest,
                certificateKey: key ?? one.certificateKey)
            let theirs = Transcript.Side(
                hello: answered.hello, certificateDigest: other.certificateDigest,
                certificateKey: other.certificateKey)
            return Transcript(
                version: version, binding: binding, initiator: isTurned ? theirs : mine,
                responder: isTurned ? mine : theirs, hello: hello, answer: answered, using: suite
            ).digest
        }
        let named = InitiatorHello(
            hello: sent.hello, invite: InviteName(secret: TrustTable.secret, using: suite))
        let variants = [
            digest(), digest(version: 2), digest(binding: 2), digest(certificate: .zero),
            digest(key: SimulatedKey(666).publicKey), digest(isTurned: true), digest(hello: named),
            digest(hello: InitiatorHello(hello: changed(sent.hello, nonce: .zero), invite: nil)),
        ]
        #expect(Set(variants).count == variants.count)
    }
}
