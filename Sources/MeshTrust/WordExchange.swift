import MeshBase

/// The exchange between M2 and M3 by which two people make sure that nobody is between them, seen from one
/// end (protocol section 3; the commitment is that of ZRTP, RFC 6189 section 4.4.1.1).
///
///     initiator                                   responder
///     unclaimed --commitment--> awaitingNonce     awaitingCommitment
///                               | nonce           | commitment, place taken
///                               v                 v
///     comparing <--opening sent--                 awaitingOpening --opening--> comparing
///
///     comparing: yes here and ready there -> the initiator signs M3
///                yes here -> the responder says ready, and takes M3
///
/// No signature and no grant leaves a side before it has its own operator's yes; the initiator's waits for
/// the other operator's too.
struct WordExchange: Equatable, Sendable {
    enum Stage: Equatable, Sendable {
        /// Initiator: the answer is checked; whether this try may run is being asked.
        case unclaimed
        /// Responder: its answer is out.
        case awaitingCommitment
        /// Responder: the commitment is held; whether this try may run is being asked.
        case committed(WordCommitment)
        /// Initiator: its commitment is out.
        case awaitingNonce(own: Digest)
        /// Responder: its nonce is out.
        case awaitingOpening(WordCommitment, own: Digest)
        /// Both nonces are known; people compare.
        case comparing(WordSum, own: Consent?, isPeerReady: Bool)
    }

    var stage: Stage

    /// Whether it is people who are waited for.
    var isComparing: Bool {
        if case .comparing = stage { true } else { false }
    }

    /// What would be in order now, for a refusal's facts.
    var expectation: String {
        switch stage {
        case .unclaimed, .committed: "nothing"
        case .awaitingCommitment: "commitment"
        case .awaitingNonce: "nonce"
        case .awaitingOpening: "opening"
        case .comparing(_, own: .yes, isPeerReady: _): "ready or finish"
        case .comparing: "ready"
        }
    }
}

// The words' part of a handshake.
extension Handshake {
    /// Initiator: M2 is checked, and nothing is signed yet.
    mutating func askForWords(_ exchange: HandshakeExchange) -> [Step] {
        state = .exchangingWords(exchange, WordExchange(stage: .unclaimed))
        return [.claimWords]
    }

    /// This try may run: the nonces are exchanged.
    mutating func wordsGranted(_ seed: PairingSeed, using suite: some SignatureSuite) -> [Step] {
        guard case .exchangingWords(let exchange, var words) = state else { return [] }
        let own = seed.nonce(as: exchange.role, in: exchange.transcript.digest, using: suite)
        let message: WordMessage
        switch words.stage {
        case .unclaimed:
            words.stage = .awaitingNonce(own: own)
            message = .commitment(WordCommitment(nonce: own, of: exchange.hello.hello, using: suite))
        case .committed(let commitment):
            words.stage = .awaitingOpening(commitment, own: own)
            message = .nonce(WordNonce(nonce: own))
        case .awaitingCommitment, .awaitingNonce, .awaitingOpening, .comparing: return []
        }
        state = .exchangingWords(exchange, words)
        return [.send(.words(message))]
    }

    mutating func receive(
        _ message: WordMessage, _ exchange: HandshakeExchange, _ words: WordExchange,
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        switch (words.stage, message) {
        case (.awaitingCommitment, .commitment(let commitment)):
            state = .exchangingWords(exchange, WordExchange(stage: .committed(commitment)))
            return [.claimWords]
        case (.awaitingNonce(let own), .nonce(let theirs)):
            let opening = HandshakeMessage.words(.opening(WordNonce(nonce: own)))
            return [.send(opening)]
                + compare(exchange, initiator: own, responder: theirs.nonce, using: suite)
        case (.awaitingOpening(let commitment, let own), .opening(let theirs)):
            guard WordCommitment(nonce: theirs.nonce, of: exchange.peerHello, using: suite) == commitment
            else {
                return fail(Refusal(.pairingCommitmentWrong, [Fact("node", exchange.peerHello.node)]))
            }
            return compare(exchange, initiator: theirs.nonce, responder: own, using: suite)
        case (.comparing(let sum, let own, isPeerReady: false), .ready(let readiness))
        where exchange.role == .initiator:
            guard readiness.transcript == exchange.transcript.digest else {
                return fail(Refusal(.proofInvalid, [Fact("message", "ready")]))
            }
            let compared = WordExchange(stage: .comparing(sum, own: own, isPeerReady: true))
            state = .exchangingWords(exchange, compared)
            return own == .yes ? signFinish(exchange, ground, using: suite) : [.awaitPeople]
        default:
            return fail(
                Refusal(
                    .handshakeMalformed, [Fact("message", message.name), Fact("expected", words.expectation)])
            )
        }
    }

    private mutating func compare(
        _ exchange: HandshakeExchange, initiator: Digest, responder: Digest, using suite: some SignatureSuite
    ) -> [Step] {
        let sum = WordSum(
            initiatorNonce: initiator, responderNonce: responder, transcript: exchange.transcript.digest,
            using: suite)
        state = .exchangingWords(
            exchange, WordExchange(stage: .comparing(sum, own: nil, isPeerReady: false)))
        return [.compare(sum), .awaitPeople]
    }

    /// This side's operator compared.
    mutating func wordsAnswered(
        _ consent: Consent, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        guard case .exchangingWords(let exchange, let words) = state,
            case .comparing(let sum, nil, let isPeerReady) = words.stage
        else { return [] }
        guard consent == .yes else {
            return fail(
                Refusal(
                    .pairingDeclined,
                    [Fact("side", exchange.role.rawValue), Fact("node", exchange.peerHello.node)]))
        }
        if let refusal = ground.pins.refusal(toTrust: exchange.peerHello) { return fail(refusal) }
        let compared = WordExchange(stage: .comparing(sum, own: .yes, isPeerReady: isPeerReady))
        state = .exchangingWords(exchange, compared)
        switch exchange.role {
        case .initiator: return isPeerReady ? signFinish(exchange, ground, using: suite) : []
        case .responder:
            let readiness = WordReadiness(transcript: exchange.transcript.digest)
            return [.send(.words(.ready(readiness))), .awaitPeople]
        }
    }

    /// M3 under words: both operators said yes, this one to this very exchange.
    mutating func receive(
        finish: InitiatorFinish, _ exchange: HandshakeExchange, _ words: WordExchange,
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        guard exchange.role == .responder, case .comparing(_, own: .yes, isPeerReady: _) = words.stage else {
            return fail(
                Refusal(
                    .handshakeMalformed, [Fact("message", "finish"), Fact("expected", words.expectation)]))
        }
        if let refusal = ground.pins.refusal(toTrust: exchange.peerHello) { return fail(refusal) }
        return receive(finish: finish, exchange, ground, using: suite)
    }

    /// Whether people are waited for, not machines.
    var isComparing: Bool {
        if case .exchangingWords(_, let words) = state { words.isComparing } else { false }
    }

    /// With whom words are compared; nil when none are.
    var wordPartner: Hello? {
        if case .exchangingWords(let exchange, _) = state { exchange.peerHello } else { nil }
    }
}

extension WordMessage {
    /// Its name in the protocol, for a refusal's facts.
    var name: String {
        switch self {
        case .commitment: "commitment"
        case .nonce: "nonce"
        case .opening: "opening"
        case .ready: "ready"
        }
    }
}
