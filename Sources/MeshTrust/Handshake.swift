import MeshBase

/// One challenge-response between two nodes, over one TLS connection, seen from one end (protocol section 2).
///
///     initiator                                       responder
///     ready --M1--> awaitingAnswer                    awaitingHello
///                   | M2                              | M1: who, revoked?, versions, clocks
///                   v                                 v
///                   signing --M3--> awaitingAccept    signing --M2--> awaitingFinish (invite: M2 at once)
///                                   | M4                              | M3: secret, signature, grants
///                                   v                                 v
///                                   finished          finished <--M4-- signing (invite: asked first, if so)
///     by words: people compare between M2 and M3, see `WordExchange`
///     any state: a check fails -> .refuse, finished;  deny arrives -> .denied, finished
///     under a token: M2 carries R's credential and no signature; M3 the token; M4 I's credential, once it is
///     signed (awaitingConsent), or a referral to issuers
///
/// It decides whether the other end is who it must be, and nothing else. Nothing is believed of a hello
/// before the signature over the transcript is checked; on `comity/1` a responder signs only for a node that
/// its pin book knows or that showed the tag of its anchor, under an invite only for who proved the secret.
/// A credential makes up for an unknown node, and for nothing else. Every check runs on every connection,
/// whatever TLS says about sessions. It owns no timer: `Trust` does.
struct Handshake: Equatable, Sendable {
    /// What this side knows of the connection before the first message.
    let connection: SecuredConnection
    /// Whom this side dialled, or nil at the responder.
    let intent: DialIntent?
    var state: HandshakeState
    /// The invite that the other end named, once it has; outlives the state, so that a wrong proof can be
    /// counted.
    var namedInvite: InviteName?
    /// The boot ID for which the other end is refused, proved by its signature; nil unless it is.
    var returnedBoot: BootID?
    /// How trust is to be made here, where not under an invite; nil on `comity/1`.
    var manner: PairingManner?
    /// Whose identity key vouches for the key that TLS proved; nil while that is not checked, or is not so.
    private(set) var provedNode: NodeID?
    /// Who answered with a credential that counts, and its signature; nil: nobody yet.
    var provedMember: NodeID?
    /// Of which domain the other end proved to be before it denied; nil: of none that counts here.
    private(set) var provedDomain: DomainID?

    /// What a step orders: at most one signature is under way at a time.
    enum Step: Equatable, Sendable {
        case send(HandshakeMessage)
        case sign(DocumentKind, payload: Octets, SigningHand)
        /// Under a token that is right: it is to be used up durably, and a credential signed.
        case enrol(TokenRecord, NodeID, PublicKey, name: NodeName)
        /// Issuers are there, says who may not issue.
        case referred([Endpoint])
        /// Under an invite, once the secret is proved: the book must mark it used durably, and the operator
        /// may have to say yes.
        case claimInvite(InviteName, by: Pin, name: NodeName)
        /// By words: whether this try may run must be asked before a nonce leaves.
        case claimWords
        /// These are the words.
        case compare(WordSum)
        /// People are waited for.
        case awaitPeople
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
            provedNode = facts.statement.node
            guard connection.role == .initiator, let intent else { return [] }
            if facts.statement.node == ground.me.node {
                return fail(
                    Refusal(
                        .isMyself,
                        [Fact("answered", facts.statement.node), Fact("this node", ground.me.node)]
                    ))
            }
            if let expected = intent.node, facts.statement.node != expected {
                return fail(
                    Refusal(
                        .identityMismatch,
                        [Fact("expected", expected), Fact("presented", facts.statement.node)]))
            }
            manner = intent.whom == .words ? .words : nil
            let hello = InitiatorHello(
                hello: ground.hello(nonce: connection.nonce), invite: intent.invite(using: suite),
                pairing: manner, anchors: tags(intent, ground, using: suite))
            state = .awaitingAnswer(hello)
            return [.send(.hello(hello))]
        }
    }

    /// One message from the other end.
    mutating func receive(
        _ message: HandshakeMessage, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        if case .deny(let denial) = message, state != .finished {
            if case .awaitingAccept(let exchange, _) = state {
                provedDomain = exchange.credential?.membership.domain
            }
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
            return receive(accept: accept, exchange, finish: finish, ground, using: suite)
        case (.awaitingAccept, .referral(let referral)) where intent?.token != nil:
            state = .finished
            return [.referred(Array(referral.issuers.prefix(Limits.endpointsPerPeer)))]
        case (.exchangingWords(let exchange, let words), .words(let message)):
            return receive(message, exchange, words, ground, using: suite)
        case (.exchangingWords(let exchange, let words), .finish(let finish)):
            return receive(finish: finish, exchange, words, ground, using: suite)
        case (.finished, _): return []
        default:
            return fail(
                Refusal(
                    .handshakeMalformed, [Fact("message", message.name), Fact("expected", state.expectation)])
            )
        }
    }

    /// The identity key has signed what was asked last.
    mutating func receive(
        signature: DocumentSignature, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        switch state {
        case .signingToken(var exchange, let proof, let payload):
            guard let record = intent?.token?.record else { return [] }
            exchange.token = TokenPresentation(
                record: record, proof: Signed(body: proof, payload: payload, signatures: [signature]))
            return signFinish(exchange, ground, using: suite)
        case .signingAnswer(var exchange, let proof, let payload):
            let answer = ResponderHello(
                hello: exchange.answer.hello,
                proof: Signed(body: proof, payload: payload, signatures: [signature]),
                chain: exchange.answer.chain)
            exchange.answer = answer
            state = .awaitingFinish(exchange)
            return [.send(.answer(answer))]
        case .signingFinish(let exchange, let proof, let payload):
            let signed = Signed(body: proof, payload: payload, signatures: [signature])
            let secretProof = intent?.secret.map {
                exchange.transcript.secretProof(.initiator, secret: $0, using: suite)
            }
            let finish = InitiatorFinish(
                secretProof: secretProof, proof: signed, chain: exchange.ownChain, token: exchange.token)
            state = .awaitingAccept(exchange, finish)
            return [.send(.finish(finish))]
        case .signingAcceptance(let exchange, let finish, let proof, let payload):
            let signed = Signed(body: proof, payload: payload, signatures: [signature])
            let secretProof = exchange.secret.map {
                exchange.transcript.secretProof(.responder, secret: $0, using: suite)
            }
            state = .finished
            let accept = ResponderAccept(
                secretProof: secretProof, proof: signed, granted: exchange.granted)
            return [
                .send(.accept(accept)),
                .establish(
                    exchange.establishment(
                        grants: finish.proof.body.grants, invite: exchange.inviteName, finish: finish)),
            ]
        case .ready, .awaitingHello, .awaitingAnswer, .awaitingFinish, .awaitingConsent, .awaitingAccept,
            .exchangingWords, .finished:
            return []
        }
    }

    /// The invite is this peer's now, durably, and the operator agrees where asked: sign the acceptance.
    mutating func inviteClaimed(_ ground: HandshakeGround, using suite: some SignatureSuite) -> [Step] {
        guard case .awaitingConsent(let exchange, let finish) = state else { return [] }
        if let refusal = ground.pins.refusal(toTrust: exchange.peerHello) { return fail(refusal) }
        return signAcceptance(exchange, finish, ground, using: suite)
    }

    /// The invite cannot be this peer's.
    mutating func inviteDenied(_ refusal: Refusal) -> [Step] { state == .finished ? [] : fail(refusal) }

    /// Ends the handshake for a reason that lies outside of it (time, limits, a change of trust).
    mutating func abandon(_ refusal: Refusal) -> [Step] { state == .finished ? [] : fail(refusal) }
}
