import MeshBase

@testable import MeshAgreements

/// Cheap and deterministic: a digest that mixes, a signature that is a digest under the key.
struct TestSuite: SignatureSuite {
    func digest(_ bytes: [UInt8]) -> Digest {
        var words: [UInt64] = [1, 2, 3, 4].map { SplitMix.mixed($0) }
        for (position, byte) in bytes.enumerated() {
            words[position % 4] = SplitMix.mixed(words[position % 4] ^ UInt64(byte) ^ UInt64(position) << 8)
        }
        let all = words.reduce(UInt64(0)) { SplitMix.mixed($0 ^ $1) }
        return Digest(words.flatMap { SplitMix.mixed($0 ^ all).bigEndianBytes })!
    }

    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest { digest(key + message) }

    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        signature == digest(key.info.bytes + bytes).bytes
    }

    func encoded(_ value: some Encodable & Sendable) -> [UInt8] { fastText(value) }

    /// What the owner of `key` would sign.
    func signature(by key: PublicKey, over payload: Octets) -> DocumentSignature {
        DocumentSignature(
            signer: pin(of: key), input: payload, value: Octets(digest(key.info.bytes + payload.bytes).bytes))
    }
}

/// One text for one agreement, quicker than reflection.
private func fastText(_ value: some Encodable) -> [UInt8] {
    guard let agreement = value as? Agreement else { return Array("\(value)".utf8) }
    let grants = agreement.grants.map { "\($0.resource)\($0.capabilities ?? [])" }.joined()
    let from = agreement.validFrom?.milliseconds ?? -1
    let numbers =
        "\(agreement.version) \(from) \(agreement.validUntil.milliseconds) \(agreement.created.milliseconds)"
    return Array(
        "\(agreement.id)\(agreement.source)\(agreement.target)\(agreement.createdBy)\(grants)\(numbers)"
            .utf8) + (agreement.conditions.map { Array("\($0)".utf8) } ?? [])
        + (agreement.approvals.map { Array("\($0)".utf8) } ?? [])
}

enum SplitMix {
    static func mixed(_ word: UInt64) -> UInt64 {
        var mixed = word &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// One node with its book, its key, and a store that keeps what is persisted.
struct Party {
    let key: PublicKey
    let node: NodeID
    var book: AgreementBook
    var stored: [AgreementRecord] = []
    var houses: [HouseDocument] = []
    var people: [VouchingRecord] = []
    /// What was to be forgotten, in order.
    var forgotten: [Digest] = []
    /// The key of a domain's anchor, where it lies in this party's home.
    var anchor: PublicKey?
    var requests: [SigningRequest] = []
    var outgoing: [(NodeID, AgreementMessage)] = []
    var notices: [AgreementNotice] = []
    var answers: [AgreementAnswer] = []
    var holdsSignatures = false
    var starts: UInt64 = 0
    let configuration: AgreementConfiguration
    let suite = TestSuite()

    init(_ number: UInt8, _ configuration: AgreementConfiguration = AgreementConfiguration(echoOffer: .none))
    {
        key = PublicKey(info: [number, 7])
        node = NodeID(TestSuite().digest([number, 7]))
        self.configuration = configuration
        book = AgreementBook(
            me: node, configuration: configuration, generator: SeededGenerator(seed: UInt64(number)))
    }

    /// Gives the book an input and does what it orders, signatures included.
    mutating func take(_ input: AgreementInput, at now: Moment) {
        var effects = Outbox<AgreementEffect>()
        book.handle(input, at: now, using: suite, into: &effects)
        for effect in effects.drain() {
            switch effect {
            case .sign(let request):
                requests.append(request)
                guard !holdsSignatures else { continue }
                let signer = request.hand == .anchor ? anchor ?? key : key
                take(.signed(request.ticket, suite.signature(by: signer, over: request.payload)), at: now)
            case .persist(let record):
                stored.removeAll { $0.contentID == record.contentID }
                stored.append(record)
            case .persistHouse(let document):
                houses.removeAll { $0.body.domain == document.body.domain }
                houses.append(document)
            case .persistPerson(let person):
                people.removeAll { $0.body.name == person.body.name }
                people.append(person)
            case .forgetPerson(let name): people.removeAll { $0.body.name == name }
            case .forget(let contentID):
                stored.removeAll { $0.contentID == contentID }
                forgotten.append(contentID)
            case .send(let peer, let message): outgoing.append((peer, message))
            case .changed: break
            case .record(let notice): notices.append(notice)
            case .answered(_, let answer): answers.append(answer)
            }
        }
    }

    /// Forgets everything that was not persisted.
    mutating func crash(at now: Moment, damaged: [DamagedAgreement] = []) {
        starts += 1
        book = AgreementBook(
            me: node, configuration: configuration,
            generator: SeededGenerator(seed: starts << 8 | UInt64(key.info.bytes[0])))
        outgoing = []
        take(.restored(stored, damaged: damaged), at: now)
        take(.housesRestored(houses), at: now)
        take(.personsRestored(people), at: now)
    }

    var states: [AgreementState] { book.records.map(\.state) }
}

/// Delivers what `from` said to `to`.
func deliver(_ from: inout Party, _ to: inout Party, at now: Moment) {
    let messages = from.outgoing
    from.outgoing = []
    for (_, message) in messages { to.take(.messageArrived(from: from.node, message), at: now) }
}

/// Two parties that trust each other.
func pair(
    _ a: AgreementConfiguration = AgreementConfiguration(echoOffer: .none),
    _ b: AgreementConfiguration = AgreementConfiguration(echoOffer: .none)
) -> (Party, Party) {
    var first = Party(1, a)
    var second = Party(2, b)
    first.take(.peerTrusted(second.node, second.key), at: day(0))
    second.take(.peerTrusted(first.node, first.key), at: day(0))
    return (first, second)
}

let base: Int64 = 1_800_000_000_000

func day(_ number: Double) -> Moment {
    let milliseconds = Int64(number * 86_400_000)
    return Moment(
        instant: Instant(nanoseconds: milliseconds * 1_000_000),
        wall: WallTime(milliseconds: base + milliseconds))
}

func second(_ number: Int) -> Moment { day(Double(number) / 86_400) }
func days(_ number: Int) -> Duration { .seconds(number * 86_400) }
func name(_ text: String) -> ResourceName { ResourceName(text)! }

func request(
    _ peer: NodeID, _ resource: String = "orders", life: Duration = days(30), replaces: AgreementID? = nil
)
    -> OfferRequest
{
    OfferRequest(
        peer: peer, grants: [Grant(resource: name(resource), capabilities: nil)], life: life,
        replaces: replaces)
}

/// An offer that no book made: of whatever id, version, hand and target.
func offer(
    _ id: AgreementID?, version: Int64, resource: String, from: Party, signer: PublicKey? = nil,
    target: NodeID? = nil, to: inout Party, at now: Moment
) {
    var generator = SeededGenerator(seed: UInt64(now.instant.nanoseconds) + UInt64(to.notices.count))
    let agreement = Agreement(
        id: id ?? AgreementID(using: &generator), version: version, source: from.node,
        target: target ?? to.node,
        grants: [Grant(resource: name(resource), capabilities: nil)], validFrom: nil,
        validUntil: now.wall + days(30), createdBy: from.node, created: now.wall)
    let payload = Octets(from.suite.encoded(agreement))
    let document = Signed(
        body: agreement, payload: payload,
        signatures: [from.suite.signature(by: signer ?? from.key, over: payload)])
    to.take(.messageArrived(from: from.node, .offer(document)), at: now)
}
