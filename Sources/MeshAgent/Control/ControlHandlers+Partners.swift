import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust
import MeshWire

// Other domains: the bundle that goes to them, and what the operator decides about theirs.
extension ControlHandlers {
    func showBundle() async throws(ControlFailure) -> BundleReport {
        guard let home = await plane.report({ $0.node.trust.domains.home }) else {
            throw ControlFailure(Refusal(.domainMissing, [Fact("domains", 0)]))
        }
        guard let bundle = await plane.report({ $0.node.trust.domains.partners.bundles[home.domain] }) else {
            throw ControlFailure(
                Refusal(.bundleMissing, [Fact("domain", home.label), Fact("id", home.domain)]))
        }
        do throws(WireError) {
            return BundleReport(
                name: bundle.body.label, id: bundle.body.domain,
                words: WordList.fingerprint(of: bundle.body.domain.digest), sequence: bundle.body.sequence,
                bundle: try BundleFile.text(of: bundle),
                spiffe: String(decoding: bundle.payload.bytes, as: UTF8.self) + "\n")
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the bundle cannot be written",
                facts: [Fact("cause", String(describing: error))], next: nil)
        }
    }

    func readBundle(_ source: BundleSource) async throws(ControlFailure) -> OfferReport {
        let offer = try await offer(in: source)
        return await plane.report { $0.report(of: offer, isNamed: source.fingerprint != nil) }
    }

    func importBundle(_ request: ImportBundle.Request) async throws(ControlFailure) -> PartnerReport {
        var roles: RoleList?
        if !request.roles.isEmpty {
            guard let named = RoleList(request.roles) else {
                throw .usage(
                    "too many roles",
                    [Fact("roles", request.roles.count), Fact("at most", Limits.rolesPerDocument)])
            }
            roles = named
        }
        let offer = try await offer(in: request.source)
        if let shown = request.shown, shown != offer.content.description {
            throw .usage(
                "the bundle is another than the one that was shown",
                [Fact("shown", shown), Fact("now", offer.content)])
        }
        let isNamed = request.source.fingerprint != nil
        let shown = await plane.report { $0.report(of: offer, isNamed: isNamed) }
        guard request.isConfirmed || !shown.needsYes else {
            throw ControlFailure(
                .usage, code: "request-malformed",
                message: "nobody has said yet that this is the domain that is meant",
                facts: [Fact("domain", offer.domain), Fact("words", shown.words.joined(separator: " "))],
                next: "comity domain import --fingerprint \(offer.domain)")
        }
        try await order(.partner(.accept(offer, roles: roles)))
        guard let report = await plane.report({ $0.partner(offer.domain) }) else {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the partner was forgotten at once",
                facts: [Fact("domain", offer.domain)], next: "comity domain show")
        }
        return report
    }

    func forgetPartner(_ request: ForgetPartner.Request) async throws(ControlFailure) -> PartnerReport {
        let domain = try (await plane.report { $0.partner(named: request.name) }).orFail()
        let report = await plane.report { $0.partner(domain) }
        try await order(.partner(.forget(domain)))
        guard let report else {
            throw ControlFailure(
                Refusal(.partnerUnknown, [Fact("given", request.name), Fact("partners", "")]))
        }
        return report
    }

    // MARK: Reading

    private func offer(in source: BundleSource) async throws(ControlFailure) -> BundleOffer {
        let offer: BundleOffer
        switch (source.text, source.peer) {
        case (let text?, nil): offer = try Self.offer(in: text, source.fingerprint)
        case (nil, let name?): offer = try await self.offer(of: try await peer(name))
        case (nil, nil), (.some, .some): throw .usage("a bundle comes from a file or from a peer", [])
        }
        if let fingerprint = source.fingerprint, !Self.isFingerprint(fingerprint, of: offer.domain) {
            throw ControlFailure(
                Refusal(
                    .fingerprintDiffers,
                    [
                        Fact("given", String(fingerprint.prefix(128))), Fact("domain", offer.domain),
                        Fact("words", WordList.fingerprint(of: offer.domain.digest).joined(separator: " ")),
                    ]))
        }
        return offer
    }

    /// Asks a peer, which proves that it belongs to the domain whose bundle it shows.
    private func offer(of peer: NodeID) async throws(ControlFailure) -> BundleOffer {
        switch await plane.command(.showBundle(of: peer)) {
        case .bundle(let offer): return offer
        case .refused(let reasons):
            let failure = ControlFailure(reasons)
            // What the peer lacks is to be made there, and its limits are its own.
            let theirs = [RefusalCode.domainMissing, .bundleMissing, .limitReached]
            guard theirs.contains(where: { $0 == reasons.first?.code }) else { throw failure }
            let title = await plane.report { $0.title(peer) }
            throw ControlFailure(
                failure.kind, code: failure.code, message: "\(title) says: \(failure.message)",
                facts: failure.facts + [Fact(ReasonText.elsewhere, title)], next: failure.next)
        case let other: throw .unfitting(other, to: "domain import --from")
        }
    }

    private static func offer(
        in text: String, _ fingerprint: String?
    ) throws(ControlFailure) -> BundleOffer {
        let file: BundleFile
        do throws(WireError) {
            file = try BundleFile(Array(text.utf8))
        } catch {
            throw ControlFailure(
                Refusal(.bundleInvalid, [Fact("problem", "it cannot be read: \(error)")]))
        }
        switch file {
        case .signed(let bundle): return BundleOffer(bundle, using: SystemSuite())
        case .bare(let bare): return try offer(of: bare, fingerprint)
        }
    }

    /// Of keys that nobody signed one is taken: the anchor of the domain that people named.
    private static func offer(
        of bare: BareBundle, _ fingerprint: String?
    ) throws(ControlFailure) -> BundleOffer {
        let anchors = bare.keys.map { DomainID(SystemSuite().pin(of: $0).digest) }
        let named = anchors.map { domain in
            "\(domain) (\(WordList.fingerprint(of: domain.digest).joined(separator: " ")))"
        }
        let ids = Fact("their IDs", named.isEmpty ? "none" : named.joined(separator: ", "))
        guard let fingerprint else {
            throw ControlFailure(
                Refusal(.bundleUnsigned, [Fact("keys", anchors.count), ids]))
        }
        guard let index = anchors.firstIndex(where: { isFingerprint(fingerprint, of: $0) }) else {
            throw ControlFailure(
                Refusal(
                    .fingerprintDiffers,
                    [Fact("given", String(fingerprint.prefix(128))), ids]))
        }
        guard let label = bare.label ?? NodeName(anchors[index].brief) else {
            preconditionFailure("\(anchors[index].brief) is no name")
        }
        return BundleOffer(
            bare: bare.keys[index], label: label, content: bare.content, using: SystemSuite())
    }

    /// Whether `text` is the ID of `domain`, or its words in whatever case and with whatever between them.
    private static func isFingerprint(_ text: String, of domain: DomainID) -> Bool {
        if text == domain.description { return true }
        let words = text.lowercased().split { !$0.isLetter }.map(String.init)
        return words == WordList.fingerprint(of: domain.digest)
    }
}
