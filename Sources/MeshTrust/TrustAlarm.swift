import MeshBase

/// What the machine waits for.
enum TrustAlarm: Comparable, Hashable, Sendable {
    case handshake(ConnectionID)
    case join(Ticket)
    case inviteExpiry
    case pairingWindow
    case pairingDial
    case domain
    case papers
    case bundleQuestion(Ticket)
}
