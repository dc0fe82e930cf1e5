import MeshBase

// What another machine compares with the other party's.
extension AgreementBook {
    /// Every version of every agreement with `peer`, by id and version.
    public func records(with peer: NodeID) -> [AgreementRecord] { files[peer]?.records.values ?? [] }

    /// Whether nothing that concerns `peer` waits for a signature here.
    public func isAtRest(with peer: NodeID) -> Bool {
        !errands.values.contains { errand in
            if case .offer(_, peer, _, _, _) = errand { return true }
            if case .acceptance(_, peer, _, _) = errand { return true }
            if case .revocation(_, peer, _, _) = errand { return true }
            return false
        }
    }
}
