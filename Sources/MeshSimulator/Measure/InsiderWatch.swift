import MeshBase
import MeshGossip
import MeshNode
import MeshRouting
import MeshTrust

/// What is seen of a run with one insider, for `InsiderMeasure`: how long calls and news of the others take,
/// and what of the insider they take for true.
struct InsiderWatch: Sendable {
    /// Nil: the insider is as honest as the others, for comparison.
    let manner: InsiderManner?
    /// From an application's question to the end of its answer, between two honest nodes.
    private(set) var calls: [Duration] = []
    /// From a head's writing by its owner until all that held the one before hold it.
    private(set) var spreads: [Duration] = []
    /// Heads that somebody holds and their owners did not make.
    private(set) var foreign: [String] = []
    /// Heads of the insider that were passed on by who keeps evidence against it.
    private(set) var served = 0
    private var changes = 0
    /// When honest nodes' applications asked, and who was asked last.
    private var asked = OrderedTable<RequestID, Instant>()
    private var providers = OrderedTable<RequestID, Int>()
    private var underWay: [News] = []
    /// The head of each owner and audience by its place; asked, never walked.
    private var made: Set<Made> = []

    private struct News: Sendable {
        let key: Disk.HeadKey
        let place: Place
        let since: Instant
        var waiting: [Int]
    }

    private struct Made: Hashable, Sendable {
        let owner: NodeID
        let audience: Audience
        let place: Place
        let root: Digest
    }

    struct Place: Hashable, Comparable, Sendable {
        let epoch: Int64
        let sequence: Int64

        init(_ head: Head) { (epoch, sequence) = (head.epoch, head.sequence) }

        static func < (left: Self, right: Self) -> Bool {
            (left.epoch, left.sequence) < (right.epoch, right.sequence)
        }
    }

    init(_ manner: InsiderManner?) { self.manner = manner }

    /// From then on: before, people still pair, the domain is made, and calls wait for that.
    static let begins = Instant.zero + .seconds(60)

    mutating func asked(_ request: RequestID, at now: Instant) {
        if now >= Self.begins { asked[request] = now }
    }

    mutating func sent(_ request: RequestID, to host: Int?) { providers[request] = host }

    /// A request of an honest node is answered whole.
    mutating func answered(_ request: RequestID, at now: Instant, byHonest isHonest: (Int) -> Bool) {
        let provider = providers.remove(request)
        guard let began = asked.remove(request), let provider, isHonest(provider) else { return }
        calls.append(now - began)
    }

    mutating func serves() { served += 1 }

    /// The number of the next change of what a node offers; nil: it is not due with this question.
    mutating func nextChange() -> Int? {
        changes += 1
        return changes.isMultiple(of: 6) ? changes : nil
    }

    /// An honest owner keeps a head of its own; `holders` keep the one before.
    mutating func made(_ head: Head, at now: Instant, heldBy holders: [Int]) {
        let place = Place(head)
        made.insert(Made(owner: head.owner, audience: head.audience, place: place, root: head.root))
        guard !holders.isEmpty else { return }
        let key = Disk.HeadKey(owner: head.owner, audience: head.audience)
        underWay.append(News(key: key, place: place, since: now, waiting: holders))
    }

    /// An honest host keeps another one's head.
    mutating func took(_ head: Head, at host: Int, ownerIsHonest: Bool, at now: Instant) {
        let place = Place(head)
        let made = Made(owner: head.owner, audience: head.audience, place: place, root: head.root)
        if ownerIsHonest, !self.made.contains(made) {
            foreign.append("host \(host) holds a head of \(head.owner.brief) that it did not make")
        }
        let key = Disk.HeadKey(owner: head.owner, audience: head.audience)
        for index in underWay.indices where underWay[index].key == key && underWay[index].place <= place {
            underWay[index].waiting.removeAll { $0 == host }
            if underWay[index].waiting.isEmpty { spreads.append(now - underWay[index].since) }
        }
        underWay.removeAll { $0.waiting.isEmpty }
    }
}

// Where the world tells the watch.
extension World {
    mutating func watchHead(_ change: NodeChange, kept run: RunID) {
        guard watch != nil, !isCalm, hosts[run.host].isHonest, case .gossip(.head(let stored)) = change
        else { return }
        let head = stored.head.body
        guard let owner = hostOfNode[head.owner] else { return }
        guard owner == run.host else {
            watch?.took(head, at: run.host, ownerIsHonest: hosts[owner].isHonest, at: time)
            return
        }
        let key = Disk.HeadKey(owner: head.owner, audience: head.audience)
        let holders = hosts.indices.filter {
            $0 != owner && hosts[$0].isHonest && hosts[$0].disk.heads[key] != nil
        }
        watch?.made(head, at: time, heldBy: holders)
    }

    /// Evidence that a host keeps against a node, on its disk.
    static func evidence(on disk: Disk, against node: NodeID) -> [String] {
        let suspended = disk.peers[node].flatMap { peer in
            peer.state == .suspended && peer.evidence.kind == .alarm ? peer.evidence.note : nil
        }
        return [suspended, disk.convictions[node]?.evidence].compactMap { $0 }
    }

    mutating func watchRelay(_ document: LinkDocument, of run: RunID) {
        guard watch != nil, hosts[run.host].isHonest, case .relay(let relay) = document,
            let insider = hosts.last?.node,
            !Self.evidence(on: hosts[run.host].disk, against: insider).isEmpty
        else { return }
        for passed in relay.heads where passed.push.head.body.owner == insider { watch?.serves() }
    }

    /// How many questions an application has in the time that it takes for one elsewhere: where calls are
    /// measured there are more of them, and of who floods ten times as many as of others.
    func questionsForOne(at host: Int) -> Int {
        guard let watch else { return 1 }
        return watch.manner == .floods && hosts[host].isInsider ? 60 : 6
    }

    /// With some of its application's questions a node's operator changes what it offers its domain: news.
    mutating func tellNews(at host: Int) {
        guard watch != nil, !isCalm, time >= InsiderWatch.begins, hosts[host].isHonest,
            let number = watch?.nextChange()
        else { return }
        let label = ResourceLabel(key: .named("kind"), value: "news-\(number)")
        let orders = Self.orders(at: host)
        let resource = LocalResource(
            description: ResourceDescription(
                name: .named("news"), protocol: .http,
                capabilities: orders.description.capabilities, labels: [label]),
            url: orders.url, timeoutInMilliseconds: 4_000)
        command(host, .addResource(resource, toDomain: .offered))
    }

    mutating func watchAnswer(_ id: RequestID, at run: RunID) {
        guard watch != nil, !isCalm, hosts[run.host].isHonest else { return }
        let honest = hosts.map(\.isHonest)
        watch?.answered(id, at: time) { honest[$0] }
    }
}
