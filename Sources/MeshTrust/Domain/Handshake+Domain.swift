import MeshBase

// What credentials and tokens do in a handshake (protocol sections 2 and 3).
extension Handshake {
    // MARK: M1

    /// What this side dials with: the tags of the anchors under which it would accept a node.
    func tags(
        _ intent: DialIntent, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Digest]? {
        if let token = intent.token {
            return [
                AnchorTag.tag(
                    of: token.domain, nonce: connection.nonce, certificate: connection.ownCertificateDigest,
                    using: suite)
            ]
        }
        guard connection.purpose == .peering else { return nil }
        var known: NodeID?
        if case .node(let node) = intent.whom, ground.pins.isTrusted(node) { known = node }
        return ground.domains.tags(
            nonce: connection.nonce, certificate: connection.ownCertificateDigest, toward: known,
            using: suite)
    }

    /// Why a dialler gets no answer on `comity/1`; nil when it is trusted, or may yet show a credential.
    func refusal(
        ofDialler hello: InitiatorHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Refusal? {
        if let refusal = tooManyTags(hello) { return refusal }
        guard let refusal = ground.pins.refusal(of: hello.hello) else { return nil }
        guard refusal.code == .peerUnknown, isKnown(to: hello, ground, using: suite) else {
            return refusal
        }
        return ground.pins.refusal(toTrust: hello.hello)
    }

    /// Why a newcomer gets no answer on `comity-pair/1`; nil when it knows this node's anchor.
    func refusal(
        ofNewcomer hello: InitiatorHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Refusal? {
        if let refusal = tooManyTags(hello) { return refusal }
        guard isKnown(to: hello, ground, using: suite) else {
            let own = ground.domains.home?.domain.description ?? ""
            return Refusal(
                .domainUnknown, [Fact("domain", "named by a tag of none"), Fact("trusted here", own)])
        }
        return ground.pins.refusal(toTrust: hello.hello)
    }

    /// Whether who dialled knows the anchor under which this node is a member, so that its credential may be
    /// shown.
    func isKnown(
        to hello: InitiatorHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Bool {
        guard let tags = hello.anchors, tags.count <= Limits.anchorTags, let own = ground.domains.own,
            case .wellFormed(let facts) = connection.presented
        else { return false }
        return tags.holds(
            tag: AnchorTag.tag(
                of: own.membership.domain, nonce: hello.hello.nonce, certificate: facts.certificateDigest,
                using: suite))
    }

    private func tooManyTags(_ hello: InitiatorHello) -> Refusal? {
        let count = hello.anchors?.count ?? 0
        guard count > Limits.anchorTags else { return nil }
        return Refusal(.handshakeMalformed, [Fact("anchor tags", count)])
    }

    // MARK: M2

    /// What the answering credential proves, where one is due; nil within when none is and none counts.
    func ruling(
        onAnswer answer: ResponderHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<HeldCredential?> {
        let obstacle: Refusal?
        let domains: [AcceptedDomain]
        switch (connection.purpose, intent?.token) {
        case (.peering, _):
            obstacle = ground.pins.refusal(of: answer.hello)
            domains = ground.domains.accepted(using: suite)
        case (.pairing, nil):
            if let refusal = ground.pins.refusal(toTrust: answer.hello) { return .refused(refusal) }
            return .allowed(nil)
        case (.pairing, let token?):
            obstacle = Refusal(.credentialMissing, [Fact("node", answer.hello.node)])
            domains = [AcceptedDomain(token.domain)]
        }
        return ruling(
            on: answer.chain, of: answer.hello, under: domains, lifting: obstacle, ground, using: suite)
    }

    // MARK: M3

    /// What the dialler's credential proves, where one is due; nil within when none is and none counts.
    func ruling(
        onFinish finish: InitiatorFinish, _ exchange: HandshakeExchange, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> Ruling<HeldCredential?> {
        guard finish.chain == nil || exchange.answer.chain != nil, finish.proof.body.request == nil else {
            return .refused(Refusal(.handshakeMalformed, [Fact("credential", "unexpected")]))
        }
        guard finish.proof.body.chain == finish.chain?.digest(using: suite) else {
            return .refused(Refusal(.proofInvalid, [Fact("message", "finish")]))
        }
        return ruling(
            on: finish.chain, of: exchange.peerHello, under: ground.domains.accepted(using: suite),
            lifting: ground.pins.refusal(of: exchange.peerHello), ground, using: suite)
    }

    /// A newcomer's token, checked before anything is used up or signed.
    mutating func receive(
        _ token: TokenPresentation, of finish: InitiatorFinish, _ exchange: HandshakeExchange,
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        guard connection.purpose == .pairing, manner == nil, exchange.secret == nil, finish.chain == nil,
            finish.proof.body.chain == nil
        else { return fail(Refusal(.handshakeMalformed, [Fact("token", "unexpected")])) }
        guard let request = finish.proof.body.request,
            request.houseAgreement == exchange.answer.houseAgreement
        else { return fail(Refusal(.handshakeMalformed, [Fact("house agreement", "not the one named")])) }
        if let refusal = refusal(of: token, exchange, ground, using: suite)
            ?? ground.pins.refusal(toTrust: exchange.peerHello)
        {
            return fail(refusal)
        }
        state = .awaitingConsent(exchange, finish)
        let hello = exchange.peerHello
        return [.enrol(token.record.body, hello.node, hello.identityKey, name: finish.proof.body.grants.name)]
    }

    private func refusal(
        of token: TokenPresentation, _ exchange: HandshakeExchange, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> Refusal? {
        let record = token.record.body
        guard let home = ground.domains.home else {
            return Refusal(.domainMissing, [Fact("domains", 0)])
        }
        guard record.domain == home.domain else {
            return Refusal(.tokenForeign, [Fact("token's", record.domain), Fact("this node's", home.domain)])
        }
        func invalid(_ problem: String) -> Refusal { Refusal(.tokenInvalid, [Fact("problem", problem)]) }
        guard token.record.isSigned(by: home.chain.anchor, using: suite) else {
            return invalid("the anchor did not sign its record")
        }
        guard token.proof.body.transcript == exchange.transcript.digest,
            token.proof.isSigned(by: record.key, using: suite)
        else { return invalid("its key did not sign this handshake") }
        guard (1...Limits.tokenUses).contains(record.uses) else { return invalid("its uses are none") }
        guard ground.now.wall < record.until else {
            return Refusal(
                .tokenExpired,
                [Fact("until", RFC3339.text(record.until)), Fact("now", RFC3339.text(ground.now.wall))])
        }
        return nil
    }

    // MARK: M4

    /// The newcomer's credential is signed, and the use of the token durable: M4 may be signed.
    mutating func enrolled(
        _ chain: CredentialChain, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        guard case .awaitingConsent(var exchange, let finish) = state, finish.token != nil else { return [] }
        if let refusal = ground.pins.refusal(toTrust: exchange.peerHello) { return fail(refusal) }
        // Newcomers are enrolled into the home domain, whoever else is trusted.
        let domains = ground.domains.home.map { [AcceptedDomain($0.domain)] } ?? []
        switch ruling(
            on: chain, of: exchange.peerHello, under: domains,
            lifting: Refusal(.credentialMissing, [Fact("node", exchange.peerHello.node)]), ground,
            using: suite)
        {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let credential):
            exchange.credential = credential
            exchange.granted = chain
            return signAcceptance(exchange, finish, ground, using: suite)
        }
    }

    /// The newcomer's own credential, as M4 brings it; nil within when this side asked for none.
    func ruling(
        onGranted accept: ResponderAccept, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<CredentialChain?> {
        guard accept.proof.body.granted == accept.granted?.digest(using: suite) else {
            return .refused(Refusal(.proofInvalid, [Fact("message", "accept")]))
        }
        switch (intent?.token, accept.granted) {
        case (nil, nil): return .allowed(nil)
        case (nil, .some): return .refused(Refusal(.handshakeMalformed, [Fact("credential", "unexpected")]))
        case (.some, nil): return .refused(Refusal(.credentialMissing, [Fact("node", ground.me.node)]))
        case (let token?, let chain?):
            let judged = CredentialGround(
                node: ground.me.node, key: ground.me.key, domains: [AcceptedDomain(token.domain)],
                pins: ground.pins,
                now: ground.now.wall)
            switch chain.ruling(judged, using: suite) {
            case .refused(let refusal): return .refused(refusal)
            case .allowed: return .allowed(chain)
            }
        }
    }

    // MARK: Credentials

    /// What `chain` proves of who sent `hello`. `obstacle` is why trust would not be there without it: a peer
    /// that is merely unknown is lifted by a credential that counts, every other obstacle stays. Without an
    /// obstacle a credential that does not count is as good as none.
    private func ruling(
        on chain: CredentialChain?, of hello: Hello, under domains: [AcceptedDomain],
        lifting obstacle: Refusal?,
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<HeldCredential?> {
        if let obstacle, obstacle.code != .peerUnknown, obstacle.code != .credentialMissing {
            return .refused(obstacle)
        }
        guard let chain else { return obstacle.map { .refused($0) } ?? .allowed(nil) }
        let judged = CredentialGround(
            node: hello.node, key: hello.identityKey, domains: domains, pins: ground.pins,
            now: ground.now.wall)
        switch chain.ruling(judged, using: suite) {
        case .refused(let refusal): return obstacle == nil ? .allowed(nil) : .refused(refusal)
        case .allowed(let held):
            if obstacle != nil, let refusal = ground.pins.refusal(toTrust: hello) { return .refused(refusal) }
            if obstacle != nil, let home = ground.domains.home, held.membership.domain != home.domain,
                let refusal = ground.pins.refusal(ofPartner: hello.node, beside: home.domain)
            {
                return .refused(refusal)
            }
            return .allowed(held)
        }
    }
}
