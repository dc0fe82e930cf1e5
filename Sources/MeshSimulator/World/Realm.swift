import MeshBase
import MeshTrust

/// A domain, as its operators mean it to be.
struct Realm: Sendable {
    /// Which of its join tokens.
    enum TokenKind: Int, Sendable, Comparable, CaseIterable {
        /// For as many as will, for weeks.
        case member
        /// The same, for who is to issue.
        case issuer
        /// For one key at each issuer.
        case scarce
        /// For some seconds.
        case brief

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Who is given a token, and how.
    struct Guest: Sendable {
        enum Manner: Sendable {
            /// In time, with its seed.
            case proper
            /// Its record alone, with the seed of another.
            case seedless
            /// When it is over, to a host whose clock is behind.
            case late
        }

        let host: Int
        let from: Instant
        let kind: TokenKind
        let manner: Manner
        /// When it was last started with it; nil: never.
        var started: Instant?
    }

    let label: NodeName
    let anchor: SimulatedKey
    let id: DomainID
    let founder: Int
    /// When the founder makes it.
    let from: Instant
    var guests: [Guest]
    var tokens = OrderedTable<TokenKind, HeldToken>()
    /// Who claims to be its founder, and has another key than the anchor's.
    var pretender: Int?
    /// The token that the pretender made.
    var forged: HeldToken?
    /// What its anchor said of it, as files, rising.
    var bundles: [Signed<DomainBundle>] = []
    /// Issuers whose end has come.
    var ended: Set<Int> = []
}

/// A join token as it lies in a home: with a seed, though perhaps not its own.
struct HeldToken: Sendable {
    let token: JoinToken
    let key: SimulatedKey
}

/// An anchor's key as it lies in a home: `key` signs, and is that of `name` unless somebody pretends.
struct HeldAnchor: Sendable {
    let name: PublicKey
    let key: SimulatedKey
}

/// What operators do about domains.
enum DomainErrand: Sendable {
    /// Makes the domain, its tokens, and gives them, as far as that is due and not done.
    case tend(Int)
    /// The end of an issuer.
    case endIssuer(Int)
    /// All machines sleep.
    case sleep
    /// Something that the operator of this domain does about the other one.
    case partner(Int)
}

/// What the operators of domains know.
struct DomainScript: Sendable {
    var generator: SeededGenerator
    var realms: [Realm] = []

    private var partners: SeededGenerator

    /// - Parameter partners: for what operators do about other domains.
    init(generator: SeededGenerator, partners: SeededGenerator) {
        self.generator = generator
        self.partners = partners
    }

    mutating func drawPartner(below bound: Int) -> Int { Int(partners.number(below: UInt64(max(1, bound)))) }

    mutating func number(below bound: Int) -> Int { Int(generator.number(below: UInt64(max(1, bound)))) }
    /// True in `share` of a hundred.
    mutating func happens(_ share: Int) -> Bool { number(below: 100) < share }
}
