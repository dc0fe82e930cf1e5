import MeshAgreements
import MeshAudit
import MeshBase

@testable import MeshGossip
@testable import MeshNode
@testable import MeshTrust
@testable import MeshWire

/// One message of each kind, as a link carries them. Signatures are of bytes by chance: whether they are
/// valid is for machines to say, not for readers.
enum LinkSamples {
    private static let key = PublicKey(info: Array(repeating: 7, count: 91))
    private static let one = NodeID(digest(1))
    private static let other = NodeID(digest(33))
    private static let time = WallTime(milliseconds: 1_795_229_494_556)
    private static let position = HeadPosition(epoch: 0, sequence: 1_838_315_002_425_344)

    private static func digest(_ start: UInt8) -> Digest {
        guard let digest = Digest(Array(start..<start + 32)) else {
            preconditionFailure("32 bytes are no digest")
        }
        return digest
    }

    static let inception = Inception(key: key, nextKeyDigest: digest(101))

    static let head = Head(
        owner: one, audience: .pair(one, other), epoch: 1, givenUp: 7, sequence: position.sequence, count: 1,
        root: digest(65), issued: time, expires: time + .seconds(900))

    static let domain = DomainID(digest(97))

    static let domainHead = Head(
        owner: one, audience: .domain(domain), epoch: 0, givenUp: nil, sequence: position.sequence, count: 0,
        root: digest(65), issued: time, expires: time + .seconds(3600))

    static let agreement: Agreement = {
        var generator = SeededGenerator(seed: 1)
        return Agreement(
            id: AgreementID(using: &generator), version: 1, source: one, target: other,
            grants: [Grant(resource: .echo, capabilities: nil)], validFrom: time,
            validUntil: time + .seconds(3600), createdBy: one, created: time)
    }()

    static let approvedAgreement: Agreement = {
        var generator = SeededGenerator(seed: 2)
        return Agreement(
            id: AgreementID(using: &generator), version: 3, source: one, target: other,
            grants: [
                Grant(
                    resource: .echo, capabilities: [.echo],
                    namespaces: [ShortText("eu"), ShortText("us")].compactMap { $0 })
            ],
            conditions: AgreementConditions(purposes: [Purpose(.echo)]),
            approvals: ApprovalRules(provider: [.accountable], consumer: [.consulted]),
            commitments: AgreementCommitments(frameworks: [ShortText("gdpr")].compactMap { $0 }),
            validFrom: nil,
            validUntil: time + .seconds(3600), createdBy: other, created: time)
    }()

    static let approval = Approval(
        contentID: digest(3), party: one, person: Pin(digest(33)), decision: .veto,
        roles: [.responsible, .informed],
        reason: "too dear", given: time)

    private static let ann: NodeName = {
        guard let name = NodeName("ann") else { preconditionFailure("ann is no name") }
        return name
    }()

    static let vouching = Vouching(
        node: one, name: ann, key: key, roles: [.accountable], issued: time,
        until: time + .seconds(3600))

    static let house = HouseAgreement(
        domain: domain, version: 2, issued: time, until: time + .seconds(3600))

    static func signed<Body: SignedBody>(_ body: Body) throws -> Signed<Body> {
        let payload = try Document.encode(body, textLimit: Body.textLimit)
        let signature = JWS.signature(
            Array(repeating: 9, count: 64), kind: Body.kind, signer: Pin(digest(33)), payload: payload)
        return Signed(body: body, payload: Octets(payload), signatures: [signature])
    }

    /// The envelope in which `payload` would come.
    static func envelope(of kind: DocumentKind, around payload: [UInt8]) throws -> [UInt8] {
        let input = JWS.signingInput(kind: kind, signer: Pin(digest(33)), payload: payload)
        let parts = input.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let value = Base64URL.encode([UInt8](repeating: 9, count: 64))
        let signatures = #"[{"protected":"\#(parts[0])","signature":"\#(value)"}]"#
        return Array(#"{"payload":"\#(parts[1])","signatures":\#(signatures)}"#.utf8)
    }

    private static func beliefs() -> [LinkDocument] {
        let beliefs = Beliefs(
            mine: Pin(digest(1)), yours: Pin(digest(33)), domain: domain,
            agreements: [
                BelievedAgreement(
                    AgreementRecord(
                        contentID: digest(3), peer: other,
                        document: Signed(body: agreement, payload: Octets([]), signatures: []),
                        state: .offered, origin: .peer))
            ])
        guard let mark = BeliefMark(1...8) else { return [] }
        return BeliefReport.parts(of: beliefs, mark).map(LinkDocument.beliefs)
    }

    static func documents() throws -> [LinkDocument] {
        try handshake() + domains() + gossip() + relayed() + agreements() + traces() + [
            .trust(TrustNotice(decision: .suspend)),
            .reachRequest(ReachRequest(number: 7)),
            .reachAnswer(
                ReachAnswer(
                    number: 7,
                    attempts: [ReachAttempt(endpoint: Endpoint(host: "::1", port: 7), because: .isMyself)])),
            .listening(ListeningNotice(port: 7410, advertised: [Endpoint(host: "::1", port: 7)])),
            .goodbye(Goodbye(until: .started)), .goodbye(Goodbye(until: .never)),
        ] + beliefs()
    }

    private static func handshake() throws -> [LinkDocument] {
        let hello = Hello(
            versions: [1], bindings: [1], nonce: digest(101), node: one, identityKey: key,
            inception: try signed(inception), boot: BootID(number: 1_795_229_494_556, random: .max),
            time: time)
        guard let name = NodeName("alpha") else { return [] }
        let grants = Grants(name: name, trust: true)
        let refusal = Denial(code: .clockSkew, reference: Octets([1, 2, 3]), facts: [Fact("here", "now")])
        let transcript = digest(5)
        return [
            .handshake(.hello(InitiatorHello(hello: hello, invite: InviteName(Octets(Array(1...8)))))),
            .handshake(
                .answer(
                    ResponderHello(hello: hello, proof: try signed(ResponderProof(transcript: transcript))))),
            .handshake(
                .finish(
                    InitiatorFinish(
                        secretProof: digest(9),
                        proof: try signed(InitiatorProof(transcript: transcript, grants: grants))))),
            .handshake(
                .accept(
                    ResponderAccept(
                        secretProof: nil,
                        proof: try signed(
                            Acceptance(transcript: transcript, accepted: digest(7), grants: grants))))),
            .handshake(.deny(refusal)),
            .handshake(.hello(InitiatorHello(hello: hello, invite: nil, pairing: .words))),
            .handshake(.words(.commitment(WordCommitment(commitment: digest(4))))),
            .handshake(.words(.nonce(WordNonce(nonce: digest(4))))),
            .handshake(.words(.opening(WordNonce(nonce: digest(4))))),
            .handshake(.words(.ready(WordReadiness(transcript: transcript)))),
        ]
    }

    static let issuerCertificate = IssuerCertificate(
        domain: DomainID(digest(7)), node: one, key: key, roles: .member, issued: time,
        until: time + .seconds(3600))

    static let credential = Credential(
        domain: DomainID(digest(7)), node: other, pin: Pin(digest(33)), roles: .member, issued: time,
        until: time + .seconds(3600))

    static let tokenRecord: TokenRecord? = NodeName("acme").map { label in
        TokenRecord(
            domain: DomainID(digest(7)), label: label, key: key, roles: .member,
            until: time + .seconds(3600), uses: 2)
    }

    private static let point = PublicKey(
        p256: Octets(Array(repeating: 3, count: 32)), Octets(Array(repeating: 4, count: 32)))

    static let bundle: DomainBundle? = NodeName("acme").flatMap { label in
        point.map { key in
            DomainBundle(
                domain: domain, label: label, issued: time, sequence: 2,
                keys: [BundleKey(key: key, certificate: Octets(Array(repeating: 250, count: 500)))])
        }
    }

    static let partnerships: Partnerships? = NodeName("acme").map { label in
        let partner = Partner(
            domain: domain, label: label, roles: .member, sequence: 2, bundle: digest(9), keys: [key])
        return Partnerships(domain: DomainID(digest(7)), sequence: 3, issued: time, partners: [partner])
    }

    private static func papers(_ chain: CredentialChain) throws -> [LinkDocument] {
        guard let bundle, let partnerships else { return [] }
        return [
            .domain(.papersHeld(HeldPapers([digest(3), digest(4)]))), .domain(.papersHeld(HeldPapers([]))),
            .domain(.paper(.bundle(try signed(bundle)))),
            .domain(.paper(.partnerships(try signed(partnerships)))), .domain(.bundleWanted),
            .domain(.bundleGiven(BundleAnswer(bundle: try signed(bundle), chain: chain))),
            .domain(.bundleWithheld(Refusal(.domainMissing, [Fact("domains", 0)]))),
        ]
    }

    private static func domains() throws -> [LinkDocument] {
        let chain = CredentialChain(
            anchor: key, issuer: try signed(issuerCertificate), credential: try signed(credential),
            authority: try signed(issuerCertificate))
        guard let record = tokenRecord, let name = NodeName("alpha") else { return [] }
        let token = TokenPresentation(
            record: try signed(record), proof: try signed(TokenProof(transcript: digest(5))))
        let proof = InitiatorProof(
            transcript: digest(5), grants: Grants(name: name, trust: true), chain: digest(6),
            request: EnrolmentRequest(houseAgreement: digest(8)))
        return [
            .domain(.named(DomainTags(tags: [digest(1), digest(2)]))),
            .domain(.shown(chain)), .domain(.renewalWanted(chain)), .domain(.renewed(chain)),
            .domain(.notRenewed(Refusal(.issuerMissing, [Fact("roles", "member")]))),
            .handshake(
                .finish(
                    InitiatorFinish(secretProof: nil, proof: try signed(proof), chain: chain, token: token))),
            .handshake(.referral(Referral(issuers: [Endpoint(host: "::1", port: 7)]))),
        ] + (try papers(chain))
    }

    private static func gossip() throws -> [LinkDocument] {
        let resource = ResourceDescription(
            name: .echo, protocol: .builtin,
            capabilities: [Capability(name: .echo, methods: ["GET"], path: "/", safety: .safe)],
            labels: [ResourceLabel(key: .echo, value: "é")])
        let record = Record(owner: one, audience: .pair(one, other), key: .echo, resource: resource)
        let leaves = [RecordLeaf(key: .echo, digest: digest(3))]
        let tag = AudienceTag(digest: digest(5))
        return [
            .gossip(.head(HeadPush(head: try signed(head), leaves: leaves, records: [record]))),
            .gossip(.want(RecordRequest(position: position, keys: [.echo]))),
            .gossip(.records(RecordBatch(position: position, records: [record]))),
            .gossip(.list(RegistryList(mine: position, yours: try signed(head), isComplete: false))),
            .gossip(.head(HeadPush(head: try signed(domainHead), leaves: [], records: []))),
            .gossip(.want(RecordRequest(audience: tag, position: position, keys: [.echo]))),
            .gossip(.records(RecordBatch(audience: tag, position: position, records: []))),
            .gossip(.list(RegistryList(audience: tag, mine: nil, yours: nil, isComplete: true))),
        ]
    }

    private static func relayed() throws -> [LinkDocument] {
        let chain = CredentialChain(
            anchor: key, issuer: nil, credential: try signed(credential), authority: nil)
        let tag = AudienceTag(digest: digest(5))
        let place = HeadPlace(domainHead)
        let push = HeadPush(head: try signed(domainHead), leaves: [], records: [])
        let page = HeadPage(places: [place], span: OwnerSpan(after: one, through: other))
        let wanted = WantedHead(owner: other, isProved: false)
        let salt = Octets(Array(1...12))
        let passed = Relay.Passed(push: push, proof: MemberProof(key: key, chain: chain))
        return [
            .gossip(.places(HeadPlaces(audience: tag, page: HeadPage(places: [place, place], span: nil)))),
            .gossip(.list(RegistryList(audience: tag, mine: nil, yours: nil, isComplete: true, held: page))),
            .gossip(.ask(HeadRequest(audience: tag, wanted: [wanted], after: one))),
            .gossip(.ask(HeadRequest(audience: tag, wanted: [], after: nil))),
            .gossip(.want(RecordRequest(audience: tag, owner: other, position: position, keys: [.echo]))),
            .gossip(.records(RecordBatch(audience: tag, owner: other, position: position, records: []))),
            .gossip(.symbolsWanted(SymbolRequest(audience: tag, salt: salt, wanted: 0..<32))),
            .gossip(
                .symbols(
                    SymbolBatch(
                        salt: salt, nonce: salt, setSize: 3, first: 0,
                        symbols: [CodedSymbol(idSum: 1, checkSum: 2, count: 3)]))),
            .gossip(.elementsWanted(ElementRequest(salt: salt, ids: [SaltedID(1), SaltedID(2)]))),
            .gossip(
                .contradiction(Contradiction(one: try signed(domainHead), other: try signed(domainHead)))),
            .relay(Relay(heads: [passed, Relay.Passed(push: push, proof: nil)])),
        ]
    }

    private static func agreements() throws -> [LinkDocument] {
        let refusal = Refusal(.agreementExpired, [Fact("until", "yesterday")])
        return try [
            .agreement(.offer(try signed(agreement))), .agreement(.accepted(try signed(agreement))),
            .agreement(.rejected(digest(3), [refusal])), .agreement(.houseHeld(nil)),
            .agreement(.houseHeld(digest(3))),
            .agreement(
                .approval(
                    VouchedApproval(approval: try signed(approval), vouching: try signed(vouching)))),
            .agreement(.approvalHeard(digest(3))), .agreement(.approvalRefused(digest(3), [refusal])),
            .agreement(.house(HouseDocument(anchor: key, agreement: try signed(house)))),
        ] + ofDomains()
    }

    /// Agreements in which a domain is a party, as far as they can come.
    private static func ofDomains() throws -> [LinkDocument] {
        let chain = CredentialChain(
            anchor: key, issuer: nil, credential: try signed(credential), authority: nil)
        let signatory = Signatory(key: key, chain: chain)
        let agreement = Agreement(
            id: agreement.id, version: 1, provider: .domain(DomainID(digest(7))), consumer: .node(other),
            grants: agreement.grants, validFrom: nil, validUntil: agreement.validUntil, createdBy: one,
            created: agreement.created)
        let word = AgreementRevocation(
            contentID: digest(3), revokedBy: one, orderedBy: .local, reason: "moved", revoked: time)
        let offer = DomainAgreement(document: try signed(agreement), signatories: [signatory])
        let withdrawn = DomainAgreement(
            document: try signed(agreement), signatories: [signatory, Signatory(key: key, chain: nil)],
            ending: .init(document: try signed(word), signatory: signatory))
        let marks = DomainAgreementStage.allCases.enumerated().map { place, stage in
            DomainAgreementList.Mark(contentID: digest(UInt8(place + 1)), stage: stage)
        }
        return [
            .domainAgreement(.shown(offer)), .domainAgreement(.shown(withdrawn)),
            .domainAgreement(.held(DomainAgreementList(marks: [], isQuestion: true))),
            .domainAgreement(.held(DomainAgreementList(marks: marks, isQuestion: false))),
        ]
    }

    private static func traces() -> [LinkDocument] {
        let call = CorrelationID(high: 1, low: 2)
        var event = AuditEvent(
            id: call, time: time, type: .service, source: one, target: other, action: "invoke", success: false
        )
        event.correlation = call
        event.refusals = [Refusal(.agreementExpired, [Fact("until", "yesterday")])]
        return [
            .traceRequest(TraceRequest(number: 1, correlation: call)),
            .traceAnswer(TraceAnswer(number: 1, events: [event])),
        ]
    }
}
