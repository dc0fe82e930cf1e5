import MeshAgreements

/// Whether this node offers a resource to the members of its domain.
public enum DomainOffer: String, Sendable, Equatable {
    /// Every member may know of it, and the house agreement decides who may call it.
    case offered
    /// Only the peers to whom it is offered.
    case withheld
}

extension AgreementConfiguration.EchoOffer {
    /// Whether `echo` is offered to the domain; nil: no.
    var toDomain: DomainOffer? { self == .trustedPeers ? .offered : nil }
}
