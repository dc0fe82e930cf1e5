/// What an operator may say about agreements.
public struct AgreementConfiguration: Equatable, Sendable {
    /// Whether short offers in which this node only consumes are accepted without asking
    /// (`agreements.autoAccept`).
    public var automaticAcceptance: AutomaticAcceptance
    /// To whom the built-in resource `echo` is offered.
    public var echoOffer: EchoOffer
    /// In which roles people of this node must approve before it signs an agreement; empty: nobody need.
    /// Its own offers say so; of a peer's offer it is asked beside what the offer says
    /// (`agreements.requireApprovals`).
    public var approvalsRequired: [ApprovalRole]

    /// The defaults: a fresh pair can make its first call at once.
    public init(
        automaticAcceptance: AutomaticAcceptance = .short, echoOffer: EchoOffer = .trustedPeers,
        approvalsRequired: [ApprovalRole] = []
    ) {
        self.automaticAcceptance = automaticAcceptance
        self.echoOffer = echoOffer
        self.approvalsRequired = ApprovalRules.whole(approvalsRequired) ?? []
    }

    /// Which offers need no person.
    public enum AutomaticAcceptance: String, Sendable, CaseIterable {
        /// Those of at most 31 days in which this node only consumes, at most 32 for each peer.
        case short
        /// None.
        case none
    }

    /// Who is offered `echo`.
    public enum EchoOffer: String, Sendable, CaseIterable {
        /// Every trusted peer, for 30 days, renewed at two thirds.
        case trustedPeers = "trusted-peers"
        /// Nobody.
        case none
    }
}
