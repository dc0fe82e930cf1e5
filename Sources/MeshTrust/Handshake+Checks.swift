import MeshBase

// The checks, in the order of protocol section 2. All are mandatory.
extension Handshake {
    /// TLS facts, and what the certificate alone can show.
    func presentedFacts(
        _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<CertificateFacts> {
        switch connection.presented {
        case .missing: .refused(Refusal(.certificateMissing, [Fact("certificates", 0)]))
        case .malformed(let what): .refused(Refusal(.certificateMalformed, [Fact("problem", what)]))
        case .wellFormed(let facts): checkedStatement(of: facts, using: suite)
        }
    }

    /// Anybody can sign a statement that names any node; only its key's holder one whose key is the node's.
    /// So who shows less is not told an invite's name, nor a trusted peer's reasons.
    private func checkedStatement(
        of facts: CertificateFacts, using suite: some SignatureSuite
    ) -> Ruling<CertificateFacts> {
        let statement = facts.statement
        guard facts.isStatementValid(using: suite) else {
            return .refused(Refusal(.identityStatementInvalid, [Fact("node", statement.node)]))
        }
        let pin = suite.pin(of: statement.identityKey)
        guard pin.digest == statement.node.digest else {
            return .refused(
                Refusal(.identityMismatch, [Fact("node", statement.node), Fact("its key's pin", pin)]))
        }
        return .allowed(facts)
    }

    /// Everything that a hello can be held against before a signature over it exists.
    func checkedPeer(
        _ hello: Hello, _ ground: HandshakeGround, using suite: some SignatureSuite
    ) -> Ruling<CertificateFacts> {
        let facts: CertificateFacts
        switch presentedFacts(ground, using: suite) {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let found): facts = found
        }
        guard hello.versions.count <= Hello.listMax, hello.bindings.count <= Hello.listMax else {
            return .refused(
                Refusal(
                    .handshakeMalformed,
                    [Fact("versions", hello.versions.count), Fact("bindings", hello.bindings.count)]))
        }
        if let refusal = clockRefusal(hello, facts, ground) { return .refused(refusal) }
        if hello.node == ground.me.node || hello.identityKey == ground.me.key {
            return .refused(
                Refusal(.isMyself, [Fact("answered", hello.node), Fact("this node", ground.me.node)]))
        }
        guard hello.node == facts.statement.node, hello.identityKey == facts.statement.identityKey else {
            return .refused(
                Refusal(
                    .identityMismatch, [Fact("hello", hello.node), Fact("certificate", facts.statement.node)])
            )
        }
        if let expected = intent?.node, hello.node != expected {
            return .refused(
                Refusal(.identityMismatch, [Fact("expected", expected), Fact("answered", hello.node)]))
        }
        if let refusal = ground.pins.revocation(of: suite.pin(of: hello.identityKey)) {
            return .refused(refusal)
        }
        guard hello.inception.isInception(of: hello.node, using: suite),
            hello.inception.body.key == hello.identityKey
        else {
            return .refused(
                Refusal(
                    .inceptionInvalid,
                    [Fact("node", hello.node), Fact("problem", "its first key did not sign it")]))
        }
        guard hello.nonce != connection.nonce, hello.nonce != .zero else {
            let what = hello.nonce == .zero ? "all zeros" : "this side's own"
            return .refused(Refusal(.nonceReused, [Fact("nonce", what)]))
        }
        return .allowed(facts)
    }

    /// Clocks by the hellos; then the certificate's validity, so that a skewed clock is named as skew.
    func clockRefusal(_ hello: Hello, _ facts: CertificateFacts, _ ground: HandshakeGround)
        -> Refusal?
    {
        let now = ground.now.wall
        let skew = hello.time - now
        let compared = [Fact("here", RFC3339.text(now)), Fact("there", RFC3339.text(hello.time))]
        if skew > Limits.clockSkewRefused || skew < .zero - Limits.clockSkewRefused {
            return Refusal(.clockSkew, compared)
        }
        if now > facts.notAfter {
            return Refusal(.certificateExpired, [Fact("until", RFC3339.text(facts.notAfter))] + compared)
        }
        if now < facts.notBefore {
            return Refusal(.certificateNotYetValid, [Fact("from", RFC3339.text(facts.notBefore))] + compared)
        }
        return nil
    }

    func negotiated(theirs: Hello, ours: Hello) -> Ruling<(version: Int, binding: Int)> {
        guard let version = ours.versions.filter(theirs.versions.contains).max() else {
            return .refused(
                Refusal(
                    .versionUnsupported,
                    [Fact("here", ours.versions.description), Fact("there", theirs.versions.description)]))
        }
        guard let binding = ours.bindings.filter(theirs.bindings.contains).max() else {
            return .refused(
                Refusal(
                    .bindingUnsupported,
                    [Fact("here", ours.bindings.description), Fact("there", theirs.bindings.description)]))
        }
        return .allowed((version, binding))
    }

    mutating func fail(_ refusal: Refusal) -> [Step] {
        state = .finished
        return [.refuse(refusal)]
    }
}
