import MeshAgreements
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

/// Nothing is told without need: when everything came right long ago, each document that a node sends has a
/// cause, and each cause pays for so many documents of each kind, no more.
///
/// What a link pays for that comes up, or that another connection carries from now on, on each side:
/// - `standing`, of a node that is in a domain: which papers it holds, to a member of its domain or of a
///   partner's; else the tag of its domain;
/// - `houseHeld`, where both are members of one domain: which house agreement it holds;
/// - `list`: where it stands, for each audience that the two share: the pair, and perhaps the domain;
/// - `paper`: a decision about partners that is dated ahead of the other's clock, with its bundles;
/// - `agreement`: its own offers that are still open, its revocations and its people's words that were not
///   heard; and what answers the other's;
/// - `domainList`, `domainAgreement`: what it holds of the agreements of domains, and each of them once; who
///   holds none answers the other's list by an empty one;
/// - `credential`, of a node that accepts the other's domain: its own, in answer to that domain's tag, and
///   once more when it takes the other's in for the first time (seed 17).
///
/// What else pays is a change, once, however often it is written: a head (`head`, `places` to those who may
/// lack it, and what follows from asking for it), an agreement, a credential, a membership, a paper. And
/// where two hold different heads of their domain, for one of them believes an owner whom the other does not,
/// rounds of comparing in vain, ever fewer. In a large domain they compare by `symbols`.
///
/// A word of people, or a revocation, that the other has not said that it has is said once more, and
/// answered: its pauses double from half a minute (seeds 756 and 842).
///
/// Handshakes, where a node listens, and what people ask for are no telling.
struct QuietCheck: Sendable {
    /// What kind of thing is told.
    enum Kind: Int, Comparable, Sendable, CaseIterable {
        case standing, houseHeld, list, head, want, records, places, ask, relay, evidence, symbols
        case agreement, credential, paper, house, domainList, domainAgreement
        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// From whom to whom.
    struct Way: Comparable, Sendable {
        let from: Int
        let to: Int
        var back: Way { Way(from: to, to: from) }
        static func < (left: Self, right: Self) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }

    private struct Account: Comparable, Sendable {
        let way: Way
        let kind: Kind
        static func < (left: Self, right: Self) -> Bool { (left.way, left.kind) < (right.way, right.kind) }
    }

    /// Rounds of comparing in vain that fit the quiet time: their pauses double.
    static let vainMax = 4

    private var owed = OrderedTable<Account, Int>()
    private var causes: Set<Digest> = []

    /// Whether this cause is seen for the first time.
    mutating func isNew(_ cause: Digest) -> Bool { causes.insert(cause).inserted }

    /// Some cause pays for so many documents.
    mutating func pay(for kinds: [(Kind, Int)], along way: Way) {
        for (kind, count) in kinds {
            let account = Account(way: way, kind: kind)
            owed[account] = (owed[account] ?? 0) + count
        }
    }

    /// Something is told. Whether it was paid for.
    mutating func told(_ kind: Kind, along way: Way) -> Bool {
        let account = Account(way: way, kind: kind)
        guard let left = owed[account], left > 0 else { return false }
        owed[account] = left - 1
        return true
    }

    /// What kind of telling a document is; nil: none.
    static func kind(of document: LinkDocument) -> Kind? {
        switch document {
        case .handshake, .listening, .traceRequest, .traceAnswer, .reachRequest, .reachAnswer, .trust,
            .goodbye, .need:
            nil
        // Whoever tells what it believes has seen a difference: `checkReport`.
        case .beliefs: nil
        case .domain(.named), .domain(.papersHeld): .standing
        case .domain(.paper), .domain(.bundleGiven), .domain(.bundleWithheld), .domain(.bundleWanted): .paper
        case .domain(.shown), .domain(.renewalWanted), .domain(.renewed), .domain(.notRenewed): .credential
        case .agreement(.houseHeld): .houseHeld
        case .agreement(.house): .house
        case .agreement: .agreement
        case .domainAgreement(.held): .domainList
        case .domainAgreement(.shown): .domainAgreement
        case .gossip(.list): .list
        case .gossip(.head): .head
        case .gossip(.want): .want
        case .gossip(.records): .records
        case .gossip(.places): .places
        case .gossip(.ask): .ask
        case .gossip(.symbolsWanted), .gossip(.symbols), .gossip(.elementsWanted): .symbols
        case .gossip(.contradiction): .evidence
        case .relay: .relay
        }
    }

    /// What two say who come to know one another's membership, or one of whom begins one, on each side.
    static let acquaintance: [(Kind, Int)] = [
        (.standing, 2), (.houseHeld, 2), (.list, 3), (.head, 2), (.want, 1), (.records, 1), (.places, 1),
        (.ask, 2), (.relay, 2), (.symbols, 6), (.agreement, 2), (.credential, 2),
        (.paper, 2 + Limits.partnerDomains),
        (.house, 1), (.domainList, 2), (.domainAgreement, 2),
    ]
}

// What happens in the quiet time, and what it pays for.
extension World {
    /// The last seconds, when there is little to tell but that one is there. Causes count from a little
    /// before.
    private var isQuiet: Bool { isCalm && plan.end - time < .seconds(20) }
    private var areCausesNoted: Bool { isCalm && plan.end - time < .seconds(22) }

    mutating func checkQuiet(_ effect: NodeEffect, of run: RunID) {
        switch effect {
        case .linkUp(let node, _):
            guard areCausesNoted, let far = hostOfNode[node] else { return }
            let greeting = greeting(of: run.host, to: far)
            let way = QuietCheck.Way(from: run.host, to: far)
            checks.quiet.pay(for: greeting, along: way)
            checks.quiet.pay(for: [(.agreement, unheard(of: run.host, at: node))], along: way.back)
            guard let home = hosts[run.host].disk.home?.domain,
                hosts[far].disk.partners.decided?.body.partner(home) != nil
            else { return }
            let isKnown = hosts[far].disk.credentials[hosts[run.host].node] != nil
            checks.quiet.pay(for: [(.credential, isKnown ? 1 : 2)], along: way.back)
        case .send(let connection, let document):
            guard isQuiet, let kind = QuietCheck.kind(of: document),
                let far = truth(behind: connection, of: run).flatMap({ hostOfNode[$0] })
            else { return }
            let way = QuietCheck.Way(from: run.host, to: far)
            guard !checks.quiet.told(kind, along: way), !isRenewalAwaited(kind, along: way),
                !isVain(kind, along: way), !isSaidAgain(document, along: way)
            else { return }
            // Two that differ in whether both are members differ in what they share for as long as that
            // lasts: each asks, ever more seldom, at last once a minute; the drift alarm tells operators.
            if kind == .list, !seeOneDomain(run.host, far) { return }
            breach(.quiet, "host \(run.host) tells host \(far): \(String("\(document)".prefix(100)))")
        case .dial, .dialThrough, .admit, .awaitPeople, .persist, .publish, .record, .ping, .close, .drain,
            .sign,
            .linkDown,
            .linkAtRest, .pairing, .renewSessions, .answer, .confirmationWanted, .lookUp, .repeatHandshake,
            .makeEncryptionKey, .dropEncryptionKey:
            break
        }
    }

    /// What a host has to say when a link comes up.
    private func greeting(of host: Int, to far: Int) -> [(QuietCheck.Kind, Int)] {
        let (disk, node) = (hosts[host].disk, hosts[far].node)
        let areMembers = sharedDomain(host, node) != nil
        let open = disk.agreements.values.filter { record in
            guard record.peer == node else { return false }
            switch record.state {
            case .offered: return record.origin != .peer
            case .ended(.revoked(_, let isHeard)): return !isHeard
            case .signed, .active, .ended: return false
            }
        }
        return [
            (.standing, disk.home == nil ? 0 : 1), (.houseHeld, areMembers ? 1 : 0),
            (.list, areMembers ? 2 : 1),
            (.agreement, open.count + unheard(of: host, at: node)),
            (.domainList, disk.domainAgreements.isEmpty && hosts[far].disk.domainAgreements.isEmpty ? 0 : 2),
            (.domainAgreement, disk.domainAgreements.count),
            (.paper, areMembers ? papersWaiting(at: far, that: host) : 0),
        ]
    }

    /// Papers that `host` holds and `far` cannot take yet, since they are dated ahead of its clock: it is
    /// told them anew at each link.
    private func papersWaiting(at far: Int, that host: Int) -> Int {
        let (mine, theirs) = (hosts[host].disk.partners, hosts[far].disk.partners)
        guard let decided = mine.decided, decided != theirs.decided,
            decided.body.issued > moment(of: far).wall + Limits.clockSkewRefused
        else { return 0 }
        return 1 + mine.bundles.count
    }

    /// Words of a host's people that `node` has not said that it has, and all of them where a version waits
    /// for `node`, which may have been put back.
    private func unheard(of host: Int, at node: NodeID) -> Int {
        let (disk, me) = (hosts[host].disk, hosts[host].node)
        return disk.agreements.values.reduce(0) { count, record in
            guard record.peer == node, record.isOpen || record.state == .ended(.vetoed) else { return count }
            let isWaiting = if case .signed = record.state { true } else { false }
            return count
                + record.approvals.count { !$0.isHeard || isWaiting && $0.evidence.party == me }
        }
    }

    /// What the other has not said that it has is said again, once in the quiet time, and may be answered.
    private mutating func isSaidAgain(_ document: LinkDocument, along way: QuietCheck.Way) -> Bool {
        let word: Digest
        switch document {
        case .agreement(.approval(let evidence)): word = evidence.approval.contentID(using: suite)
        case .agreement(.revoked(let revocation)): word = revocation.contentID(using: suite)
        default: return false
        }
        let isUnheard = hosts[way.from].disk.agreements.values.contains { record in
            guard record.peer == hosts[way.to].node else { return false }
            if case .ended(.revoked(let revocation, isHeard: false)) = record.state {
                return revocation.contentID(using: suite) == word
            }
            return record.approvals.contains {
                !$0.isHeard && $0.evidence.approval.contentID(using: suite) == word
            }
        }
        let cause = suite.digest(Array("said again \(way.from) \(way.to) \(word)".utf8))
        guard isUnheard, checks.quiet.isNew(cause) else { return false }
        checks.quiet.pay(for: [(.agreement, 1)], along: way.back)
        return true
    }

    /// Who lost a renewal asks for it while there is a quarter of the head's life left; and a head that is
    /// dated ahead is asked for until its time has come. What a ping says is of all audiences together, so
    /// where the pair's head is dated ahead the two compare a large domain as well, ever more seldom (seed 22
    /// of 7 nodes, with relays).
    private mutating func isRenewalAwaited(_ kind: QuietCheck.Kind, along way: QuietCheck.Way) -> Bool {
        let isDatedAhead =
            checks.gossip.owesWait.contains(way.from) || checks.gossip.owesWait.contains(way.to)
        if kind == .symbols { return isDatedAhead && plan.audiences == .large }
        guard [.list, .head, .ask, .relay].contains(kind) else { return false }
        if isDatedAhead { return true }
        let isQuestion = kind == .list || kind == .ask
        let (asking, owner) = isQuestion ? (way.from, way.to) : (way.to, way.from)
        let isOfOthers = kind == .ask || kind == .relay
        let isLate = hosts[asking].disk.heads.contains { key, stored in
            let head = stored.head.body
            let quarter = (head.expires - head.issued) / 4
            return (isOfOthers || key.owner == hosts[owner].node)
                && moment(of: asking).wall >= head.expires - quarter
        }
        let cause = suite.digest(Array("renewal \(way.from) \(way.to) \(kind.rawValue)".utf8))
        return isLate && checks.quiet.isNew(cause)
    }

    /// Two of which one holds a head of their domain that the other does not take, or no more: it believes
    /// the owner, or its clock says that the head is not over. They compare ever more seldom: after two
    /// seconds, four, eight.
    private mutating func isVain(_ kind: QuietCheck.Kind, along way: QuietCheck.Way) -> Bool {
        let isLarge = plan.audiences == .large
        guard [.list, .ask, .relay].contains(kind) || isLarge && [.symbols, .places].contains(kind),
            let domain = sharedDomain(way.from, hosts[way.to].node),
            places(in: domain, at: way.from) != places(in: domain, at: way.to)
        else { return false }
        // In a large domain either side finds it out, and tells both: a question, what it comes to, proofs;
        // or some pages.
        let rounds = isLarge ? 4 * QuietCheck.vainMax : QuietCheck.vainMax
        return (0..<rounds).contains { round in
            checks.quiet.isNew(
                suite.digest(Array("vain \(way.from) \(way.to) \(kind.rawValue) \(round)".utf8)))
        }
    }

    /// What a node would pass on in `domain` now.
    private func places(in domain: DomainID, at host: Int) -> [HeadPlace] {
        hosts[host].agent?.node.gossip.held(in: .domain(domain), at: moment(of: host).wall) ?? []
    }

    /// A host writes something: what it may tell, and be asked, because of that.
    mutating func noteCause(_ change: NodeChange, of host: Int) {
        guard areCausesNoted else { return }
        switch change {
        case .gossip(.head(let stored)):
            let head = stored.head.body
            let content = "\(head.root) \(head.encryption?.description ?? "no key")"
            noteCause("head \(host) \(head.owner) \(head.audience) \(content)", of: host, toward: nil) {
                way in
                let answers: [(QuietCheck.Kind, Int)] = [(.records, 1), (.places, 1), (.relay, 1)]
                // A ping may compare before the news came.
                let questions: [(QuietCheck.Kind, Int)] = [(.list, 1), (.want, 1), (.ask, 1), (.symbols, 2)]
                return [
                    (way, [(.head, 2), (.ask, 1), (.list, 1), (.symbols, 2)] + answers),
                    (way.back, questions),
                ]
            }
        case .agreement(let record):
            let heard = record.approvals.count { $0.isHeard }
            let words = "\(record.approvals.count) \(heard)"
            let cause = "agreement \(host) \(record.contentID) \(record.state) \(words)"
            noteCause(cause, of: host, toward: record.peer) { way in
                [(way, [(.agreement, 1)]), (way.back, [(.agreement, 1)])]
            }
        case .domainAgreement(let record):
            let cause = "domain agreement \(host) \(record.contentID) \(record.content.stage)"
            noteCause(cause, of: host, toward: nil) { way in
                [(way, [(.domainAgreement, 1)]), (way.back, [(.domainAgreement, 1)])]
            }
        case .houseAgreement(let document):
            let cause = "house \(host) \(document.body.domain) \(document.body.version)"
            noteCause(cause, of: host, toward: nil) { [($0, [(.house, 1)])] }
        case .trust(.partnerships(let paper)):
            let cause = "decision \(host) \(paper.contentID(using: suite))"
            // Who accepts a domain is told its bundle, and shown the credentials of its members; and what
            // becomes a membership by it begins the comparing of what domains agreed.
            let accepted = paper.body.partners.count
            let met: [(QuietCheck.Kind, Int)] = [(.credential, 1), (.domainList, 2), (.domainAgreement, 2)]
            noteCause(cause, of: host, toward: nil) { way in
                [(way, [(.paper, 1), (.standing, 1)] + met), (way.back, [(.paper, accepted)] + met)]
            }
        case .trust(.bundle(let paper)):
            let cause = "bundle \(host) \(paper.contentID(using: suite))"
            noteCause(cause, of: host, toward: nil) { [($0, [(.paper, 1)])] }
        case .trust(.home(let home)):
            noteAcquaintance("home \(host) \(suite.digest(suite.encoded(home.chain)))", of: host, toward: nil)
        case .trust(.credential(let stored)):
            let cause = "credential \(host) \(suite.digest(suite.encoded(stored.chain)))"
            noteAcquaintance(cause, of: host, toward: stored.node)
            // What its domain signed may be shown to others from now on (seed 976).
            noteCause("lists for \(cause)", of: host, toward: nil) { [($0, [(.domainList, 1)])] }
        case .trust(.peer(let peer)) where peer.state == .trusted:
            noteAcquaintance("peer \(host) \(peer.node) \(peer.since)", of: host, toward: peer.node)
        case .trust, .gossip(.headGone), .agreementForgotten, .domainAgreementForgotten, .person,
            .personForgotten, .resource, .resourceRemoved, .route, .endpoint, .endpointForgotten:
            break
        }
    }

    private mutating func noteAcquaintance(_ cause: String, of host: Int, toward node: NodeID?) {
        noteCause(cause, of: host, toward: node) { way in
            [(way, QuietCheck.acquaintance), (way.back, QuietCheck.acquaintance)]
        }
    }

    /// Pays once for `cause`, on the way to one host, or to all.
    private mutating func noteCause(
        _ cause: String, of host: Int, toward node: NodeID?,
        _ payments: (QuietCheck.Way) -> [(QuietCheck.Way, [(QuietCheck.Kind, Int)])]
    ) {
        guard checks.quiet.isNew(suite.digest(Array(cause.utf8))) else { return }
        for other in hosts.indices where other != host && (node == nil || hosts[other].node == node) {
            for (way, kinds) in payments(QuietCheck.Way(from: host, to: other)) {
                checks.quiet.pay(for: kinds, along: way)
            }
        }
    }
}
