import MeshBase

/// How far two nodes are with finding what differs in an audience that is too large for lists: one link's
/// share of it, at one end. At most one session in either direction.
///
///     idle --summaries differ--> asking --symbols--> asking ... --decoded--> settling --all said--> idle
///          asking --silence, a flaw, a minute is over, sizes too different--> idle: pages
///     any of these --symbols wanted--> and answering --10 s of silence--> and not answering
///          asking --symbols wanted by the smaller node ID--> idle, answering: of two at once that goes on
///
/// Whoever answers does not ask meanwhile: one session tells both sides all that differs, for the one that
/// asked asks for what it lacks, and passes on what the other lacks. The end of the link ends all of it.
///
/// The answering side's set is fixed when it sends the first batch, the asking side's when it receives that;
/// what changes meanwhile is the next session's. No flaw is held against the other side:
/// it costs it the symbols for a while (`Correspondent.symbolsRest`), on whatever link.
struct LinkComparison: Equatable, Sendable {
    let audience: Audience
    var course = Course.idle
    /// What the other side is answered from; nil while it does not ask.
    var answering: AnsweredSession?

    /// What this side does.
    enum Course: Equatable, Sendable {
        /// Nothing.
        case idle
        /// It gathers the other's row.
        case asking(AskedSession)
        /// It knows what differs, and says it in portions.
        case settling(Settlement)
    }

    /// How long either side waits for the other.
    static var patience: Duration { .seconds(10) }
    /// How long symbols are asked for in one session, at most, however often the other side speaks.
    static var askingMost: Duration { .seconds(60) }
    /// How long one session is answered: 45 000 elements are asked for in 246 s.
    static var answeringMost: Duration { .seconds(300) }
    /// How many sessions in which this side asks there are at once: what one finds others need not find.
    static var askingAtOnce: Int { 2 }

    init(_ audience: Audience) { self.audience = audience }

    /// When something is to be done or given up; nil when nothing waits for time.
    var due: Instant? {
        let own: Instant? =
            switch course {
            case .idle: nil
            case .asking(let session): session.time.until
            case .settling(let settlement): settlement.next
            }
        return [own, answering?.time.until].compactMap { $0 }.min()
    }

    /// Whether symbols are asked for on either side.
    var isUnderWay: Bool { answering != nil || isAsking }

    /// Whether this side asks, or says what it found.
    var isAsking: Bool {
        switch course {
        case .idle: false
        case .asking, .settling: true
        }
    }

    /// Whether there is anything to remember.
    var isOver: Bool { course == .idle && answering == nil }
}

/// How long a session goes on: until the other side is silent for too long, and no longer than that in all.
struct SessionTime: Equatable, Sendable {
    /// When it is over whatever the other side says.
    private let ends: Instant
    /// When it is over unless the other side speaks.
    private(set) var until: Instant

    /// - Parameter most: how long it may take in all.
    init(from now: Instant, most: Duration) {
        ends = now + most
        until = now + LinkComparison.patience
    }

    /// The other side has spoken: it has more time, as far as there is any.
    mutating func goOn(at now: Instant) { until = min(now + LinkComparison.patience, ends) }
}

/// A session in which this side asks.
struct AskedSession: Equatable, Sendable {
    let salt: Octets
    var time: SessionTime
    /// Nil before the first batch, which says what the key is.
    var decoding: Decoding?

    init(salt: Octets, at now: Instant) {
        self.salt = salt
        time = SessionTime(from: now, most: LinkComparison.askingMost)
    }

    /// What came so far.
    struct Decoding: Equatable, Sendable {
        let nonce: Octets
        let key: SessionKey
        var decoder: SymbolDecoder
    }

    /// Whether it is worth beginning to decode: where one side holds more than half of what the other has
    /// besides, it is new there, and reads pages, which say what is to be proved.
    static func isWorthwhile(_ own: Int, _ other: Int) -> Bool { 2 * abs(own - other) <= max(own, other) }
}

/// A session in which this side answers.
struct AnsweredSession: Equatable, Sendable {
    let salt: Octets
    let nonce: Octets
    let key: SessionKey
    var encoder: SymbolEncoder
    var time: SessionTime

    init(salt: Octets, nonce: Octets, key: SessionKey, _ encoder: SymbolEncoder, at now: Instant) {
        self.salt = salt
        self.nonce = nonce
        self.key = key
        self.encoder = encoder
        time = SessionTime(from: now, most: LinkComparison.answeringMost)
    }
}

/// What differs, as far as it is not said yet.
struct Settlement: Equatable, Sendable {
    let salt: Octets
    let key: SessionKey
    /// What is to be asked for.
    var theirs: ArraySlice<SaltedID>
    /// What is to be passed on, after that: where the other side had something newer of an owner, that is
    /// here by then, and what is older is not sent.
    var mine: ArraySlice<SaltedID>
    var next: Instant

    /// How long one portion of `HeadPage.most` heads has: fewer signatures a second than are checked.
    static var pause: Duration { .milliseconds(700) }

    init(_ difference: SetDifference, salt: Octets, key: SessionKey, at now: Instant) {
        self.salt = salt
        self.key = key
        theirs = difference.theirs[...]
        mine = difference.mine[...]
        next = now
    }

    /// Whether all is said.
    var isOver: Bool { theirs.isEmpty && mine.isEmpty }
}
