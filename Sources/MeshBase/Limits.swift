/// The bounds of the protocol. They are not configuration: both sides rely on them, and a test holds how they
/// relate.
public enum Limits {
    // Handshake (protocol section 2)
    /// Bytes of one handshake message.
    public static let handshakeMessage = 16 * 1024
    /// How long the other side may take for one message.
    public static let handshakeMessageTime: Duration = .seconds(5)
    /// How long a handshake may take in all.
    public static let handshakeTime: Duration = .seconds(15)
    /// How long connecting may take.
    public static let connectTime: Duration = .seconds(3)
    /// Unfinished handshakes in all.
    public static let unfinishedHandshakes = 64
    /// Of these, places kept for addresses with a trusted peer.
    public static let handshakesKeptForKnown = 32
    /// Unfinished handshakes from one address without a trusted peer.
    public static let handshakesPerUnknownAddress = 4
    /// Unfinished handshakes from one address with a trusted peer.
    public static let handshakesPerKnownAddress = 16
    /// Clocks may differ by this much before it is said.
    public static let clockSkewWarned: Duration = .seconds(120)
    /// Clocks may differ by this much before a handshake is refused, and nothing may be dated further ahead.
    public static let clockSkewRefused: Duration = .seconds(300)
    /// The highest boot number that a restored home takes from a peer: half of what can be written, so that
    /// there is always room above it.
    public static let bootNumberNamed: Int64 = 1 << 52
    /// How far beyond its clock, or the number with which it started, a restored home takes one from who is
    /// not trusted.
    public static let bootNumberByStrangers: Duration = .seconds(86_400)
    /// A trusted link repeats its handshake after this long.
    public static let handshakeRepeat: Duration = .seconds(3600)

    // Pairing (protocol section 3)
    /// Attempts to pair, per minute, from one address.
    public static let pairingsPerAddressAndMinute = 5
    /// Attempts to pair, per minute, in all.
    public static let pairingsPerMinute = 30
    /// Wrong proofs that end an invite.
    public static let wrongProofsPerInvite = 5
    /// Invites that are open at once.
    public static let openInvites = 64
    /// How long a window for pairing by words stays open.
    public static let pairingWindow: Duration = .seconds(600)
    /// How long it stays open when nobody attends to it.
    public static let pairingAttendance: Duration = .seconds(30)
    /// Tries in one window; each address has one.
    public static let pairingTries = 3
    /// How long people may take to compare words.
    public static let pairingDecision: Duration = .seconds(300)
    /// Characters of an invite line.
    public static let inviteLine = 250

    // Domains (protocol section 3)
    /// Roles in one credential, issuer certificate or token record.
    public static let rolesPerDocument = 16
    /// Anchors' tags in one hello.
    public static let anchorTags = 16
    /// Other domains that one domain trusts: with its own, as many as a hello has tags for.
    public static let partnerDomains = 15
    /// Domains of which a decision says that they were partners.
    public static let partnersForgotten = 64
    /// Keys of one domain, in its bundle.
    public static let bundleKeys = 8
    /// How long an issuer certificate may live.
    public static let issuerLifeMax: Duration = .seconds(90 * 24 * 3600)
    /// How long a credential may live.
    public static let credentialLifeMax: Duration = .seconds(30 * 24 * 3600)
    /// How long the credentials of this build live, for as long as no revocation spreads (section 12).
    public static let credentialLife: Duration = .seconds(7 * 24 * 3600)
    /// Keys that one issuer may enrol under one token.
    public static let tokenUses = 1_024
    /// Tokens whose uses one issuer remembers at once.
    public static let tokensRemembered = 256
    /// How long a token may live.
    public static let tokenLifeMax: Duration = .seconds(90 * 24 * 3600)

    // Frames (protocol section 5a)
    /// Bytes of one frame's payload.
    public static let framePayload = 64 * 1024
    /// Bytes that a stream's sender may have under way before the receiver grants more.
    public static let streamWindow = 256 * 1024
    /// Bytes that all streams of one link together may have under way.
    public static let linkWindow = 4 * 1024 * 1024
    /// Streams that a peer may have open on one link.
    public static let streamsPerLink = 2_560
    /// Bytes of an invocation's or an answer's head.
    public static let invocationHead = 32 * 1024

    // Documents (protocol sections 6, 10)
    /// Bytes of a signed document's payload.
    public static let documentPayload = 45 * 1024
    /// Levels of nesting in a document.
    public static let documentDepth = 16
    /// Bytes of one text in a document unless said otherwise.
    public static let documentText = 256
    /// Bytes of one record's body.
    public static let recordBody = 4 * 1024
    /// Records of one owner in one audience.
    public static let recordsPerHead = 256
    /// Head updates of one owner accepted a minute, after a burst.
    public static let headsPerMinute = 10
    /// Head updates of one owner accepted at once.
    public static let headBurst = 50
    /// Signature checks a second for one peer.
    public static let signatureChecksPerSecond = 200
    /// Bytes of reconciliation a minute for one peer.
    public static let syncBytesPerMinute = 4 * 1024 * 1024
    /// Walks over what is held of a domain that one peer may cause at once, by asking for coded symbols.
    public static let setWalksAtOnce = 16
    /// And each second after that.
    public static let setWalksPerSecond = 4
    /// Links that keep a set for comparing it by coded symbols, at once.
    public static let reconciliationsAtOnce = 32
    /// A head's life in an audience of up to `smallAudience` nodes.
    public static let headLife: Duration = .seconds(15 * 60)
    /// A head's life in a larger one; none is accepted that lives longer.
    public static let headLifeLarge: Duration = .seconds(60 * 60)
    /// Nodes of an audience whose heads live the shorter time.
    public static let smallAudience = 50

    // Overlay (protocol section 5)
    /// While no more peers are trusted, there are links to all of them.
    public static let linksToAll = 32
    /// Links that are kept for gossip where more are trusted.
    public static let gossipLinks = 8
    /// Of these, to the nearest by node ID; the others are drawn.
    public static let gossipLinksNear = 4
    /// How often the others are drawn anew.
    public static let gossipRedraw: Duration = .seconds(600)
    /// How long a link that gossip does not need stays without use.
    public static let linkIdle: Duration = .seconds(300)

    /// Connections of one peer that gave way and are open yet, for calls that are under way on them.
    public static let drainingPerPeer = 4

    // Tables
    /// Effects that wait while the store cannot be written; behind that, inputs wait.
    public static let heldEffects = 65_536
    /// Peers in all states but *seen*.
    public static let peers = 4_096
    /// Of these, nodes of other domains that are in the book by a credential only.
    public static let partnerPeers = 2_048
    /// Peers that are only seen.
    public static let sightings = 1_024
    /// Endpoints kept for one peer.
    public static let endpointsPerPeer = 8
    /// Instances of one domain of unicast DNS that are looked at.
    public static let dnsInstances = 512
    /// What a zone shows holds for at least this long, and "there is none" for as long.
    public static let dnsLifeLeast: Duration = .seconds(30)
    /// What a zone shows is not believed for longer without being asked for anew.
    public static let dnsLifeMost: Duration = .seconds(3600)
    /// Resources that a node provides.
    public static let localResources = 10_000
    /// Capabilities of one resource.
    public static let capabilitiesPerResource = 64
    /// Labels of one resource.
    public static let labelsPerResource = 32
    /// Agreements with one peer, of any state.
    public static let agreementsPerPeer = 512
    /// Agreements accepted automatically from one peer.
    public static let automaticAgreementsPerPeer = 32

    // Calls (protocol section 8)
    /// Bytes of a body that is at hand whole: of `/invoke`, of what is kept to be sent again. Others stream,
    /// and have no limit of their own.
    public static let callBody = 1024 * 1024
    /// Bytes of a body that `/mesh` keeps, so that the call can be repeated; what is longer streams.
    public static let repeatableBody = 64 * 1024
    /// Bytes of a body up to which the audit keeps its digest.
    public static let digestedBody = 4 * 1024
    /// How long a call whose time bounds the wait for its answer may go on without a byte, once the answer
    /// has begun.
    public static let streamIdle: Duration = .seconds(60)
    /// A call's time unless it says otherwise.
    public static let callDeadline: Duration = .seconds(10)
    /// The longest time that a call may ask for.
    public static let callDeadlineMax: Duration = .seconds(600)
    /// Attempts after the first.
    public static let retries = 2
    /// Calls that a resource may have in hand at least, however slow it is.
    public static let concurrencyFloor = 2
    /// And at most, however quick.
    public static let concurrencyCeiling = 4_096
    /// Partners among whom the places of a resource are shared, one by one.
    public static let partnersPerService = 256
    /// Principals of one partner whose calls are held to a rate one by one.
    public static let principalsPerPeer = 64
    /// Principals of this node's own applications that are held to a rate one by one: this machine vouches
    /// for them.
    public static let ownPrincipals = 1_024
    /// The greatest weight of a provider: it is taken as if it were so many times as fast.
    public static let routeWeight: Int64 = 100
    /// All that is said of a provider makes it at most so many times as fast, and at least a thousandth.
    public static let routeWeightSpan: Int64 = 10_000
    /// Labels by which the providers of one resource are preferred.
    public static let routePreferences = 8
    /// The percentiles of a provider's answers after which a second attempt may follow the first.
    public static let hedgePercentiles: ClosedRange<Int> = 50...99
    /// The milliseconds after which it may: sooner none follows, whatever the percentile.
    public static let hedgeMilliseconds: ClosedRange<Int64> = 1...600_000
    /// The seconds for which a capability may let its answers be kept.
    public static let keepSeconds: ClosedRange<Int64> = 1...86_400
    /// How long a consumer keeps an answer at most, whatever its provider says.
    public static let keptLife: Duration = .seconds(86_400)
    /// How long an answer that is over may still be given where nobody can be asked; never longer than it was
    /// fresh.
    public static let keptStale: Duration = .seconds(300)
    /// Answers that are kept at once.
    public static let keptAnswers = 10_000
    /// Bytes of them all, with what they are found by.
    public static let keptBytes = 64 * 1024 * 1024
    /// Bytes of one answer's body that is kept.
    public static let keptBody = 64 * 1024
    /// Bytes of a key by which calls keep their provider.
    public static let stickyKey = 128
    /// Providers that one request to all of them asks.
    public static let fanOut = 256
    /// Bytes of all answers to one request to all providers that are kept until the last has come.
    public static let fanOutBytes = 16 * 1024 * 1024
    /// Bytes of answers that are kept for all such requests of a node.
    public static let fanOutBytesInAll = 64 * 1024 * 1024
    /// Bytes of an idempotency key.
    public static let idempotencyKey = 128
    /// Bytes that are kept for one peer: the bodies of its calls until they are passed on.
    public static let memoryPerPeer = 16 * 1024 * 1024
    /// How long a key for sealed payloads is announced.
    public static let encryptionKeyLife: Duration = .seconds(30 * 24 * 3600)
    /// How long the key before still opens what was sealed to it: far more than the life of a head that
    /// announces it, and short, since until then a thief of the file opens what was recorded.
    public static let encryptionKeyOverlap: Duration = .seconds(24 * 3600)
    /// Heads of one peer that are opened in vain at once. An honest one sends none.
    public static let brokenSeals = 16
    /// How long until one more is opened in vain.
    public static let brokenSealInterval: Duration = .seconds(1)
    /// Clear bytes of one sealed record.
    public static let sealedRecord = 16 * 1024
    /// Sealed records of one direction of a call: below the 2^24.5 up to which AES-GCM keeps its margin under
    /// one key (RFC 8446 section 5.5).
    public static let sealedRecords = 1 << 24
    /// How long an idempotency key is remembered.
    public static let idempotencyLife: Duration = .seconds(24 * 3600)

    // Audit (protocol section 9)
    /// Bytes of one journal segment.
    public static let journalSegment = 16 * 1024 * 1024
    /// Bytes of one audit record.
    public static let auditRecord = 16 * 1024
    /// Refusals of one peer with one code, a minute, before they become one event with a count.
    public static let refusalEventsPerMinute = 60
}
