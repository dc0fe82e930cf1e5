import MeshBase

// What the initiator does with M2 and M4.
extension Handshake {
    mutating func receive(
        answer: ResponderHello, to hello: InitiatorHello, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        let facts: CertificateFacts
        switch checkedPeer(answer.hello, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let checked): facts = checked
        }
        guard answer.hello.nonce != hello.hello.nonce else {
            return fail(Refusal(.nonceReused, [Fact("nonce", "this side's own")]))
        }
        // M3 is this side's consent: it is not signed for whom trust could not be made with.
        let credential: HeldCredential?
        switch ruling(onAnswer: answer, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let found): credential = found
        }
        switch negotiated(theirs: answer.hello, ours: hello.hello) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let agreed):
            var exchange = HandshakeExchange(
                version: agreed.version, binding: agreed.binding, hello: hello, answer: answer,
                connection: connection,
                peer: facts, secret: intent?.secret, ground: ground, using: suite)
            if let refusal = refusal(of: answer.proof, exchange, using: suite) { return fail(refusal) }
            if let refusal = returnOfBoot(in: answer.hello, ground) { return fail(refusal) }
            guard manner != .words else { return askForWords(exchange) }
            exchange.credential = credential
            if credential != nil { provedMember = answer.hello.node }
            guard intent?.token == nil else {
                let proof = TokenProof(transcript: exchange.transcript.digest)
                let payload = Octets(suite.encoded(proof))
                state = .signingToken(exchange, proof, payload)
                return [.sign(.tokenProof, payload: payload, .token)]
            }
            // Only who showed its own credential, and was checked, gets this side's.
            if connection.purpose == .peering, credential != nil { exchange.ownChain = ground.domains.shown }
            return signFinish(exchange, ground, using: suite)
        }
    }

    mutating func signFinish(
        _ exchange: HandshakeExchange, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        let request = exchange.token.map { _ in
            EnrolmentRequest(houseAgreement: exchange.answer.houseAgreement)
        }
        let proof = InitiatorProof(
            transcript: exchange.transcript.digest, grants: ground.grants,
            chain: exchange.ownChain?.digest(using: suite), request: request)
        let payload = Octets(suite.encoded(proof))
        state = .signingFinish(exchange, proof, payload)
        return [.sign(.initiatorProof, payload: payload, .identity)]
    }

    /// M2 carries a proof on `comity/1` and none on `comity-pair/1`, where nothing is signed for who has
    /// neither proved a secret nor been confirmed by people.
    func refusal(
        of proof: Signed<ResponderProof>?, _ exchange: HandshakeExchange, using suite: some SignatureSuite
    ) -> Refusal? {
        switch (connection.purpose, proof) {
        case (.pairing, nil): nil
        case (.peering, let proof?)
        where proof.body.transcript == exchange.transcript.digest
            && proof.isSigned(by: exchange.peerHello.identityKey, using: suite):
            nil
        case (.peering, _), (.pairing, .some): Refusal(.proofInvalid, [Fact("message", "answer")])
        }
    }

    mutating func receive(
        accept: ResponderAccept, _ exchange: HandshakeExchange, finish: InitiatorFinish,
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        let expected = intent?.secret.map {
            exchange.transcript.secretProof(.responder, secret: $0, using: suite)
        }
        guard accept.secretProof == expected else {
            return fail(Refusal(.inviteProofWrong, [Fact("side", "responder")]))
        }
        let proof = accept.proof
        guard proof.body.transcript == exchange.transcript.digest,
            proof.body.accepted == finish.proof.contentID(using: suite),
            proof.isSigned(by: exchange.peerHello.identityKey, using: suite)
        else { return fail(Refusal(.proofInvalid, [Fact("message", "accept")])) }
        guard proof.body.grants.trust else {
            return fail(Refusal(.grantMissing, [Fact("side", "responder")]))
        }
        var exchange = exchange
        switch ruling(onGranted: accept, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let granted): exchange.granted = granted
        }
        state = .finished
        return [
            .establish(
                exchange.establishment(grants: proof.body.grants, invite: intent?.invite(using: suite)))
        ]
    }
}
