import MeshBase

// An invite's secret is worth a trusted peer's place: no text that is made of these values holds it, whoever
// prints, dumps or interpolates them.

extension InviteRecord: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its name, and whose it is.
    public var description: String {
        "invite \(name) until \(RFC3339.text(expires)), used by \(usedBy?.description ?? "nobody")"
    }
    /// Its name, and whose it is.
    public var debugDescription: String { description }
    /// Everything but the secret.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "name": name, "expires": expires, "confirmation": confirmation,
                "usedBy": usedBy?.description ?? "nobody", "wrongProofs": wrongProofs,
            ])
    }
}

extension JoinRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whom to join, and where.
    public var description: String {
        "join \(inviter) at \(endpoints.map(\.description).joined(separator: ", "))"
    }
    /// Whom to join, and where.
    public var debugDescription: String { description }
    /// Everything but the secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["inviter": inviter, "endpoints": endpoints, "expires": expires])
    }
}

extension DialIntent: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whom it accepts, and whether under an invite.
    public var description: String {
        switch whom {
        case .node(let node): secret == nil ? "dial \(node)" : "dial \(node) under its invite"
        case .words: "dial whom two people confirm"
        case .member: "dial any member"
        case .issuer(let domain): "enrol in \(domain)"
        }
    }
    /// Whom it accepts, and whether under an invite.
    public var debugDescription: String { description }
    /// Everything but the secret.
    public var customMirror: Mirror { Mirror(self, children: ["whom": whom]) }
}
