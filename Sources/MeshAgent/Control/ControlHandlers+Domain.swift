import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust
import MeshWire

// The node's domain.
extension ControlHandlers {
    /// What a founder may give, besides what its operator named.
    private static let usualRoles: [DomainRole] = [.member, .agree, .relay]

    func createDomain(_ request: CreateDomain.Request) async throws(ControlFailure) -> DomainReport {
        let roles = try Self.roles(Self.usualRoles + request.roles)
        guard !roles.contains(.issue) else {
            throw .usage(
                "issuers are made by the anchor alone: comity domain token --role issue FILE", [])
        }
        // Before a key is made that nothing would rest on.
        if let present = await plane.report({ $0.node.trust.domains.home }) {
            throw ControlFailure(
                Refusal(.domainPresent, [Fact("domain", present.label), Fact("id", present.domain)]))
        }
        let path = surroundings.sources.home.anchorKey
        let anchor = try Self.keeping { () throws(CredentialError) in try AnchorKey.prepare(at: path) }
        try certify(path)
        try await order(.createDomain(request.name, anchor: anchor, giving: roles))
        return try await showDomain()
    }

    func makeToken(_ request: MakeToken.Request) async throws(ControlFailure) -> TokenReport {
        let draft = HeldToken.Draft()
        let order = TokenOrder(
            key: draft.publicKey, roles: try Self.roles([.member] + request.roles),
            life: .seconds(request.expiresSeconds), uses: request.uses)
        switch await plane.command(.makeToken(order)) {
        case .token(let token):
            let record = token.record.body
            do throws(WireError) {
                return TokenReport(
                    token: try draft.held(under: token).text(), name: record.label,
                    roles: record.roles.roles, until: Timestamp(record.until), uses: record.uses)
            } catch {
                throw ControlFailure(
                    .fault, code: "agent-fault", message: "the token cannot be written",
                    facts: [Fact("cause", String(describing: error))], next: nil)
            }
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "domain token")
        }
    }

    func showDomain() async throws(ControlFailure) -> DomainReport {
        guard let report = await plane.report({ $0.domain }) else {
            throw ControlFailure(Refusal(.domainMissing, [Fact("domains", 0)]))
        }
        return report
    }

    func moveAnchor(_ request: MoveAnchor.Request) async throws(ControlFailure) -> DomainReport {
        guard request.path.hasPrefix("/") else {
            throw .usage("the key's place is an absolute path", [Fact("path", request.path)])
        }
        guard let home = await plane.report({ $0.node.trust.domains.home }) else {
            throw ControlFailure(Refusal(.domainMissing, [Fact("domains", 0)]))
        }
        let path = surroundings.sources.home.anchorKey
        let outside = request.path
        switch request.direction {
        case .out:
            let isHere = try Self.keeping { () throws(CredentialError) in try AnchorKey.publicKey(at: path) }
            guard isHere != nil else {
                throw ControlFailure(
                    Refusal(.anchorMissing, [Fact("domain", home.label), Fact("id", home.domain)]))
            }
            try Self.keeping { () throws(CredentialError) in try AnchorKey.move(from: path, to: outside) }
            plane.inputs.post(.anchorChanged(nil))
        case .back:
            let key = try Self.keeping { () throws(CredentialError) in try AnchorKey.publicKey(at: outside) }
            guard let key, SystemSuite().pin(of: key).digest == home.domain.digest else {
                throw ControlFailure(
                    Refusal(.anchorMissing, [Fact("domain", home.label), Fact("id", home.domain)]))
            }
            try Self.keeping { () throws(CredentialError) in try AnchorKey.move(from: outside, to: path) }
            try certify(path)
            plane.inputs.post(.anchorChanged(key))
        }
        var report = try await showDomain()
        report.hasAnchor = request.direction == .back
        return report
    }

    /// Tells the node the certificate of the anchor whose key is here now, for its domain's bundle.
    private func certify(_ path: String) throws(ControlFailure) {
        let certificate = try Self.keeping { () throws(CredentialError) in
            try AnchorKey.certificate(at: path)
        }
        plane.inputs.post(.anchorCertified(certificate))
    }

    private static func roles(_ named: [DomainRole]) throws(ControlFailure) -> RoleList {
        guard let roles = RoleList(named) else {
            throw .usage(
                "too many roles",
                [Fact("roles", Set(named).count), Fact("at most", Limits.rolesPerDocument)])
        }
        return roles
    }

    /// A key's file that cannot be used is the operator's to mend.
    private static func keeping<Value>(
        _ work: () throws(CredentialError) -> Value
    ) throws(ControlFailure) -> Value {
        do throws(CredentialError) {
            return try work()
        } catch {
            throw ControlFailure(
                .refused, code: "file-refused", message: "\(error)", facts: [], next: nil)
        }
    }
}
