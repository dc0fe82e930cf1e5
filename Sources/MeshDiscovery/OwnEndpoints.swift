import MeshBase

/// Endpoints that were proven to be this very node: our own address, seen through somebody else's hint.
///
/// Remembered for some minutes only: after that another node may have the address.
struct OwnEndpoints: Sendable, Equatable {
    /// At most this many; beyond, the one that lapses first yields.
    static let countMax = 64

    private var lapses = Deadlines<Endpoint>()

    /// `endpoint` is us, believed until `lapse`.
    mutating func remember(_ endpoint: Endpoint, until lapse: Instant) {
        if lapses.count >= Self.countMax && lapses[endpoint] == nil { _ = lapses.takeDue(at: .never) }
        lapses.set(endpoint, at: lapse)
    }

    /// Until when `endpoint` counts as us; nil when it does not.
    func lapse(of endpoint: Endpoint, at now: Instant) -> Instant? {
        guard let lapse = lapses[endpoint], lapse > now else { return nil }
        return lapse
    }
}
