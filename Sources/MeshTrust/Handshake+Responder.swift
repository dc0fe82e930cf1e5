import MeshBase

// What the responder does with M1 and M3.
extension Handshake {
    mutating func receive(
        hello: InitiatorHello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> [Step] {
        let facts: CertificateFacts
        switch checkedPeer(hello.hello, ground, using: suite) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let checked): facts = checked
        }
        var secret: Octets?
        switch (connection.purpose, hello.invite) {
        case (.peering, nil):
            if let refusal = refusal(ofDialler: hello, ground, using: suite) { return fail(refusal) }
        case (.pairing, let name?):
            namedInvite = name
            let pin = suite.pin(of: hello.hello.identityKey)
            switch ground.invites.secret(of: name, for: pin, at: ground.now.wall) {
            case .refused(let refusal): return fail(refusal)
            case .allowed(let found): secret = found
            }
        case (.pairing, nil) where hello.pairing == .words:
            manner = .words
            let obstacle =
                ground.words.refusal(of: hello.hello.node, at: connection.remote.host)
                ?? ground.pins.refusal(toTrust: hello.hello)
            if let obstacle { return fail(obstacle) }
        case (.pairing, nil) where hello.anchors != nil:
            if let refusal = refusal(ofNewcomer: hello, ground, using: suite) { return fail(refusal) }
        case (.peering, .some), (.pairing, nil):
            return fail(
                Refusal(.handshakeMalformed, [Fact("invite", hello.invite == nil ? "missing" : "unexpected")])
            )
        }
        guard hello.pairing == manner else {
            return fail(Refusal(.handshakeMalformed, [Fact("pairing", "unexpected")]))
        }
        let isEnrolment = connection.purpose == .pairing && hello.invite == nil && manner == nil
        let answer = ResponderHello(
            hello: ground.hello(nonce: connection.nonce), proof: nil,
            chain: isKnown(to: hello, ground, using: suite) ? ground.domains.shown : nil,
            houseAgreement: isEnrolment ? ground.domains.houseAgreement : nil)
        switch negotiated(theirs: hello.hello, ours: answer.hello) {
        case .refused(let refusal): return fail(refusal)
        case .allowed(let agreed):
            let exchange = HandshakeExchange(
                version: agreed.version, binding: agreed.binding, hello: hello, answer: answer,
                connection: connection,
                peer: facts, secret: secret, ground: ground, using: suite)
            guard connection.purpose == .peering else {
                state =
                    manner == .words
                    ? .exchangingWords(exchange, WordExchange(stage: .awaitingCommitment))
                    : .awaitingFinish(exchange)
                return [.send(.answer(answer))]
            }
            let proof = ResponderProof(transcript: exchange.transcript.digest)
            let payload = Octets(suite.encoded(proof))
            state = .signingAnswer(exchange, proof, payload)
            return [.sign(.responderProof, payload: payload, .identity)]
        }
    }

    mutating func receive(
        finish: InitiatorFinish, _ exchange: HandshakeExchange, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        if let secret = exchange.secret {
            let expected = exchange.transcript.secretProof(.initiator, secret: secret, using: suite)
            guard finish.secretProof == expected else {
                return fail(Refusal(.inviteProofWrong, [Fact("side", "initiator")]))
            }
        } else if finish.secretProof != nil {
            return fail(Refusal(.handshakeMalformed, [Fact("secret proof", "unexpected")]))
        }
        let proof = finish.proof
        guard proof.body.transcript == exchange.transcript.digest,
            proof.isSigned(by: exchange.peerHello.identityKey, using: suite)
        else { return fail(Refusal(.proofInvalid, [Fact("message", "finish")])) }
        guard proof.body.grants.trust else {
            return fail(Refusal(.grantMissing, [Fact("side", "initiator")]))
        }
        if let token = finish.token {
            return receive(token, of: finish, exchange, ground, using: suite)
        }
        if connection.purpose == .pairing,
            finish.chain != nil || proof.body.chain != nil || proof.body.request != nil
        {
            return fail(Refusal(.handshakeMalformed, [Fact("credential", "unexpected")]))
        }
        guard let invite = exchange.inviteName else {
            if let refusal = returnOfBoot(in: exchange.peerHello, ground) { return fail(refusal) }
            // Two people compared words: no credential is needed.
            if manner == .words { return signAcceptance(exchange, finish, ground, using: suite) }
            guard connection.purpose == .peering else {
                return fail(Refusal(.handshakeMalformed, [Fact("token", "missing")]))
            }
            var exchange = exchange
            switch ruling(onFinish: finish, exchange, ground, using: suite) {
            case .refused(let refusal): return fail(refusal)
            case .allowed(let credential): exchange.credential = credential
            }
            return signAcceptance(exchange, finish, ground, using: suite)
        }
        // Before the invite is this key's: who is suspended here does not use it up.
        if let refusal = ground.pins.refusal(toTrust: exchange.peerHello) { return fail(refusal) }
        state = .awaitingConsent(exchange, finish)
        let pin = suite.pin(of: exchange.peerHello.identityKey)
        return [.claimInvite(invite, by: pin, name: proof.body.grants.name)]
    }

    mutating func signAcceptance(
        _ exchange: HandshakeExchange, _ finish: InitiatorFinish, _ ground: HandshakeGround,
        using suite: some SignatureSuite
    ) -> [Step] {
        let proof = Acceptance(
            transcript: exchange.transcript.digest, accepted: finish.proof.contentID(using: suite),
            grants: ground.grants, granted: exchange.granted?.digest(using: suite))
        let payload = Octets(suite.encoded(proof))
        state = .signingAcceptance(exchange, finish, proof, payload)
        return [.sign(.acceptance, payload: payload, .identity)]
    }
}
