import MeshBase

/// One challenge-response between two nodes, over one TLS connection, seen from one end (protocol section 2).
///
///     initiator                                              responder
///     ready --M1--> awaitingAnswer                           awaitingHello
///                   | M2                                     | M1: who, revoked?, versions, clocks
///                   v                                        v
///                   signing --signed, M3--> awaitingAccept   signing --signed, M2--> awaitingFinish
///                                           | M4             (invite: M2 at once)    | M3: secret, signature, grants
///                                           v                                        v
///                                           finished         finished <--signed, M4-- signing (invite: asked first, if so)
///     any state: a check fails -> .refuse, finished;  deny arrives -> .denied, finished
///
/// It decides whether the other end is who it must be, and nothing else. Nothing is believed of a hello before the signature over
/// the transcript is checked; on `comity/1` a responder signs only for a node that its pin book knows, under an invite only for who
/// proved the secret. Every check runs on every connection, whatever TLS says about sessions. It owns no timer: `Trust` does.
struct Handshake: Equatable, Sendable {
    /// What this side knows of the connection before the first message.
    let connection: SecuredConnection
    /// Whom this side dialled, or nil at the responder.
    let intent: DialIntent?
    private(set) var state: HandshakeState
    /// The invite that the other end named, once it has; outlives the state, so that a wrong proof can be counted.
    private(set) var namedInvite: InviteName?

    /// What a step orders: at most one signature is under way at a time.
    enum Step: Equatable, Sendable {
        case send(HandshakeMessage)
        case sign(DocumentKind, payload: Octets)
        /// Under an invite, once the secret is proved: the book must mark it used durably, and the operator may have to say yes.
        case claimInvite(InviteName, by: Pin, name: NodeName)
        case refuse(Refusal)
        case denied(Denial)
        case establish(Establishment)
    }

    init(_ connection: SecuredConnection, intent: DialIntent?) {
        self.connection = connection
        self.intent = intent
        state = connection.role == .initiator ? .ready : .awaitingHello
    }

    /// Whether nothing more is expected.
    var isFinished: Bool { state == .finished }

    /// The certificate's facts, checked before any message. The initiator answers with M1.
    mutating func begin(_ ground: HandshakeGround, using suite: some SignatureSuite) -> [Step] {
        switch presentedFacts(ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let facts):
            guard connection.role == .initiator, let intent else { return [] }
            if facts.statement.node == ground.me.node { return fail(Refusal(.isMyself)) }
            guard facts.statement.node == intent.node else {
                return fail(
                    Refusal(
                        .identityMismatch,
                        [Fact("expected", intent.node), Fact("presented", facts.statement.node)]))
            }
            let hello = InitiatorHello(
                hello: ground.hello(nonce: connection.nonce), invite: intent.invite(using: suite))
            state = .awaitingAnswer(hello)
            return [.send(.hello(hello))]
        }
    }

    /// One message from the other end.
    mutating func receive(
        _ message: HandshakeMessage, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        if case .deny(let denial) = message, state != .finished {
            state = .finished
            return [.denied(denial)]
        }
        switch (state, message) {
        case (.awaitingHello, .hello(let hello)): return receive(hello: hello, ground, using: suite)
        case (.awaitingAnswer(let hello), .answer(let answer)):
            return receive(answer: answer, to: hello, ground, using: suite)
        case (.awaitingFinish(let exchange), .finish(let finish)):
            return receive(finish: finish, exchange, ground, using: suite)
        case (.awaitingAccept(let exchange, let finish), .accept(let accept)):
            return receive(accept: accept, exchange, finish: finish, using: suite)
        case (.finished, _): return []
        default:
            return fail(
                Refusal(
                    .handshakeMalformed, [Fact("message", message.name), Fact("expected", state.expectation)])
            )
        }
    }

    /// The identity key has signed what was asked last.
    mutating func receive(signature: DocumentSignature, using suite: some SignatureSuite) -> [Step] {
        switch state {
        case .signingAnswer(var exchange, let proof, let payload):
            let answer = ResponderHello(
                hello: exchange.answer.hello,
                proof: Signed(body: proof, payload: payload, signatures: [signature]))
            exchange.answer = answer
            state = .awaitingFinish(exchange)
            return [.send(.answer(answer))]
        case .signingFinish(let exchange, let proof, let payload):
            let signed = Signed(body: proof, payload: payload, signatures: [signature])
            let secretProof = intent?.secret.map {
                exchange.transcript.secretProof(.initiator, secret: $0, using: suite)
            }
            let finish = InitiatorFinish(secretProof: secretProof, proof: signed)
            state = .awaitingAccept(exchange, finish)
            return [.send(.finish(finish))]
        case .signingAcceptance(let exchange, let finish, let proof, let payload):
            let signed = Signed(body: proof, payload: payload, signatures: [signature])
            let secretProof = exchange.secret.map {
                exchange.transcript.secretProof(.responder, secret: $0, using: suite)
            }
            state = .finished
            let accept = ResponderAccept(secretProof: secretProof, proof: signed)
            return [
                .send(.accept(accept)),
                .establish(
                    exchange.establishment(grants: finish.proof.body.grants, invite: exchange.inviteName)),
            ]
        case .ready, .awaitingHello, .awaitingAnswer, .awaitingFinish, .awaitingConsent, .awaitingAccept,
            .finished:
            return []
        }
    }

    /// The invite is this peer's now, durably, and the operator agrees where asked: sign the acceptance.
    mutating func inviteClaimed(_ ground: HandshakeGround, using suite: some SignatureSuite) -> [Step] {
        guard case .awaitingConsent(let exchange, let finish) = state else { return [] }
        return signAcceptance(exchange, finish, ground, using: suite)
    }

    /// The invite cannot be this peer's.
    mutating func inviteDenied(_ refusal: Refusal) -> [Step] { state == .finished ? [] : fail(refusal) }

    /// Ends the handshake for a reason that lies outside of it (time, limits, a change of trust).
    mutating func abandon(_ refusal: Refusal) -> [Step] { state == .finished ? [] : fail(refusal) }
}

// MARK: - Responder

extension Handshake {
    private mutating func receive(
        hello: InitiatorHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        let facts: CertificateFacts
        switch checkedPeer(hello.hello, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let checked): facts = checked
        }
        var secret: Octets?
        switch (connection.purpose, hello.invite) {
        case (.peering, nil):
            if let refusal = ground.pins.refusal(of: hello.hello) { return fail(refusal) }
        case (.pairing, let name?):
            namedInvite = name
            let pin = suite.pin(of: hello.hello.identityKey)
            switch ground.invites.secret(of: name, for: pin, at: ground.now.wall) {
            case .refused(let refusal): return fail(refusal)
            case .allowed(let found): secret = found
            }
        case (.peering, .some), (.pairing, nil):
            return fail(
                Refusal(.handshakeMalformed, [Fact("invite", hello.invite == nil ? "missing" : "unexpected")])
            )
        }
        let answer = ResponderHello(hello: ground.hello(nonce: connection.nonce), proof: nil)
        switch negotiated(theirs: hello.hello, ours: answer.hello) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let agreed):
            let exchange = HandshakeExchange(
                version: agreed.version, binding: agreed.binding, hello: hello, answer: answer,
                connection: connection,
                peer: facts, secret: secret, ground: ground, using: suite)
            guard secret == nil else {
                state = .awaitingFinish(exchange)
                return [.send(.answer(answer))]
            }
            let proof = ResponderProof(transcript: exchange.transcript.digest)
            let payload = Octets(suite.encoded(proof))
            state = .signingAnswer(exchange, proof, payload)
            return [.sign(.responderProof, payload: payload)]
        }
    }

    private mutating func receive(
        finish: InitiatorFinish, _ exchange: HandshakeExchange, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        if let secret = exchange.secret {
            let expected = exchange.transcript.secretProof(.initiator, secret: secret, using: suite)
            guard finish.secretProof == expected else { return fail(Refusal(.inviteProofWrong)) }
        } else if finish.secretProof != nil {
            return fail(Refusal(.handshakeMalformed, [Fact("secret proof", "unexpected")]))
        }
        let proof = finish.proof
        guard proof.body.transcript == exchange.transcript.digest,
            proof.isSigned(by: exchange.peerHello.identityKey, using: suite)
        else { return fail(Refusal(.proofInvalid, [Fact("message", "finish")])) }
        guard proof.body.grants.trust else {
            return fail(Refusal(.grantMissing, [Fact("side", "initiator")]))
        }
        guard let invite = exchange.inviteName else {
            return signAcceptance(exchange, finish, ground, using: suite)
        }
        state = .awaitingConsent(exchange, finish)
        let pin = suite.pin(of: exchange.peerHello.identityKey)
        return [.claimInvite(invite, by: pin, name: proof.body.grants.name)]
    }

    private mutating func signAcceptance(
        _ exchange: HandshakeExchange, _ finish: InitiatorFinish, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        let proof = Acceptance(
            transcript: exchange.transcript.digest, accepted: finish.proof.contentID(using: suite),
            grants: ground.grants)
        let payload = Octets(suite.encoded(proof))
        state = .signingAcceptance(exchange, finish, proof, payload)
        return [.sign(.acceptance, payload: payload)]
    }
}

// MARK: - Initiator

extension Handshake {
    private mutating func receive(
        answer: ResponderHello, to hello: InitiatorHello, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        let facts: CertificateFacts
        switch checkedPeer(answer.hello, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let checked): facts = checked
        }
        guard answer.hello.nonce != hello.hello.nonce else {
            return fail(Refusal(.nonceReused, [Fact("message", "answer")]))
        }
        if connection.purpose == .peering, let refusal = ground.pins.refusal(of: answer.hello) {
            return fail(refusal)
        }
        switch negotiated(theirs: answer.hello, ours: hello.hello) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let agreed):
            let exchange = HandshakeExchange(
                version: agreed.version, binding: agreed.binding, hello: hello, answer: answer,
                connection: connection,
                peer: facts, secret: intent?.secret, ground: ground, using: suite)
            if let refusal = refusal(of: answer.proof, exchange, using: suite) { return fail(refusal) }
            let proof = InitiatorProof(transcript: exchange.transcript.digest, grants: ground.grants)
            let payload = Octets(suite.encoded(proof))
            state = .signingFinish(exchange, proof, payload)
            return [.sign(.initiatorProof, payload: payload)]
        }
    }

    /// M2 carries a proof on `comity/1` and none under an invite, where the secret's proof in M4 stands for it.
    private func refusal(
        of proof: Signed<ResponderProof>?, _ exchange: HandshakeExchange, using suite: some SignatureSuite
    ) -> Refusal? {
        switch (connection.purpose, proof) {
        case (.pairing, nil): nil
        case (.peering, let proof?)
        where proof.body.transcript == exchange.transcript.digest
            && proof.isSigned(by: exchange.peerHello.identityKey, using: suite):
            nil
        case (.peering, _), (.pairing, .some): Refusal(.proofInvalid, [Fact("message", "answer")])
        }
    }

    private mutating func receive(
        accept: ResponderAccept, _ exchange: HandshakeExchange, finish: InitiatorFinish,
        using suite: some SignatureSuite
    ) -> [Step] {
        let expected = intent?.secret.map {
            exchange.transcript.secretProof(.responder, secret: $0, using: suite)
        }
        guard accept.secretProof == expected else { return fail(Refusal(.inviteProofWrong)) }
        let proof = accept.proof
        guard proof.body.transcript == exchange.transcript.digest,
            proof.body.accepted == finish.proof.contentID(using: suite),
            proof.isSigned(by: exchange.peerHello.identityKey, using: suite)
        else { return fail(Refusal(.proofInvalid, [Fact("message", "accept")])) }
        guard proof.body.grants.trust else {
            return fail(Refusal(.grantMissing, [Fact("side", "responder")]))
        }
        state = .finished
        return [
            .establish(
                exchange.establishment(grants: proof.body.grants, invite: intent?.invite(using: suite)))
        ]
    }
}

// MARK: - Checks, in the order of protocol section 2

extension Handshake {
    /// TLS facts, and what the certificate alone can show.
    private func presentedFacts(
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<CertificateFacts> {
        switch connection.presented {
        case .missing: .refused(Refusal(.certificateMissing))
        case .malformed(let what): .refused(Refusal(.certificateMalformed, [Fact("problem", what)]))
        case .wellFormed(let facts):
            !facts.isStatementValid(using: suite)
                ? .refused(Refusal(.identityStatementInvalid, [Fact("node", facts.statement.node)]))
                : .allowed(facts)
        }
    }

    /// Everything that a hello can be held against before a signature over it exists.
    private func checkedPeer(
        _ hello: Hello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<CertificateFacts> {
        let facts: CertificateFacts
        switch presentedFacts(ground, using: suite) {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let found): facts = found
        }
        if let refusal = clockRefusal(hello, facts, ground) { return .refused(refusal) }
        if hello.node == ground.me.node || hello.identityKey == ground.me.key {
            return .refused(Refusal(.isMyself))
        }
        guard hello.node == facts.statement.node, hello.identityKey == facts.statement.identityKey else {
            return .refused(
                Refusal(
                    .identityMismatch, [Fact("hello", hello.node), Fact("certificate", facts.statement.node)])
            )
        }
        if let intent, hello.node != intent.node {
            return .refused(
                Refusal(.identityMismatch, [Fact("expected", intent.node), Fact("answered", hello.node)]))
        }
        if let refusal = ground.pins.revocation(of: suite.pin(of: hello.identityKey)) {
            return .refused(refusal)
        }
        guard hello.inception.isInception(of: hello.node, using: suite),
            hello.inception.body.key == hello.identityKey
        else {
            return .refused(Refusal(.inceptionInvalid, [Fact("node", hello.node)]))
        }
        guard hello.nonce != connection.nonce, hello.nonce != .zero else {
            return .refused(Refusal(.nonceReused))
        }
        return .allowed(facts)
    }

    /// Clocks by the hellos; then the certificate's validity, so that a skewed clock is named as skew.
    private func clockRefusal(_ hello: Hello, _ facts: CertificateFacts, _ ground: HandshakeGround)
        -> Refusal?
    {
        let now = ground.now.wall
        let skew = hello.time - now
        let compared = [Fact("here", RFC3339.text(now)), Fact("there", RFC3339.text(hello.time))]
        if skew > Limits.clockSkewRefused || skew < .zero - Limits.clockSkewRefused {
            return Refusal(.clockSkew, compared)
        }
        if now > facts.notAfter {
            return Refusal(.certificateExpired, [Fact("until", RFC3339.text(facts.notAfter))] + compared)
        }
        if now < facts.notBefore {
            return Refusal(.certificateNotYetValid, [Fact("from", RFC3339.text(facts.notBefore))] + compared)
        }
        return nil
    }

    private func negotiated(theirs: Hello, ours: Hello) -> Ruling<(version: Int, binding: Int)> {
        guard let version = ours.versions.filter(theirs.versions.contains).max() else {
            return .refused(
                Refusal(
                    .versionUnsupported,
                    [Fact("here", ours.versions.description), Fact("there", theirs.versions.description)]))
        }
        guard let binding = ours.bindings.filter(theirs.bindings.contains).max() else {
            return .refused(
                Refusal(
                    .bindingUnsupported,
                    [Fact("here", ours.bindings.description), Fact("there", theirs.bindings.description)]))
        }
        return .allowed((version, binding))
    }

    private mutating func fail(_ refusal: Refusal) -> [Step] {
        state = .finished
        return [.refuse(refusal)]
    }
}
