import MeshBase

/// Whose unfinished handshake gets a place, and who may try to pair now (protocol section 2). Only for
/// connections that came in.
///
/// 64 places: 32 of them only for addresses with a trusted peer. Each address without one has at most 4, with
/// one 16; an IPv6 address counts by its network (`AddressBlock`). When the places are taken, the oldest
/// handshake of an unknown address yields; when none of these is left, the newcomer does.
struct HandshakeAdmission: Sendable, Equatable {
    /// What becomes of a newcomer.
    enum Verdict: Sendable, Equatable {
        /// It has a place; the connection named, if any, lost its own.
        case admitted(yielding: ConnectionID?)
        /// It has none.
        case refused(Refusal)
    }

    private struct Unfinished: Sendable, Equatable {
        let id: ConnectionID
        let address: AddressBlock
    }

    private struct PairingAttempt: Sendable, Equatable {
        let address: AddressBlock
        let at: Instant
    }

    /// Addresses at which a trusted peer was met.
    var knownAddresses: Set<AddressBlock> = []
    /// In the order in which they came; at most `Limits.unfinishedHandshakes`.
    private var unfinished: [Unfinished] = []
    /// Of the last minute; at most `Limits.pairingsPerMinute`.
    private var pairingAttempts: [PairingAttempt] = []

    /// Unfinished handshakes now.
    var count: Int { unfinished.count }

    /// Somebody connected from `address`.
    mutating func arrived(_ id: ConnectionID, from host: String) -> Verdict {
        let address = AddressBlock(of: host)
        let isKnown = knownAddresses.contains(address)
        let ofAddress = unfinished.count { $0.address == address }
        let allowed = isKnown ? Limits.handshakesPerKnownAddress : Limits.handshakesPerUnknownAddress
        guard ofAddress < allowed else {
            return .refused(
                Refusal(
                    .handshakeLimit,
                    [Fact("address", address), Fact("unfinished", ofAddress), Fact("allowed", allowed)]))
        }
        let unknown = unfinished.count { !knownAddresses.contains($0.address) }
        let unknownPlaces = Limits.unfinishedHandshakes - Limits.handshakesKeptForKnown
        var yielding: ConnectionID?
        if unfinished.count >= Limits.unfinishedHandshakes || (!isKnown && unknown >= unknownPlaces) {
            guard let oldest = unfinished.firstIndex(where: { !knownAddresses.contains($0.address) }) else {
                return .refused(Refusal(.handshakeLimit, [Fact("unfinished", unfinished.count)]))
            }
            yielding = unfinished.remove(at: oldest).id
        }
        unfinished.append(Unfinished(id: id, address: address))
        return .admitted(yielding: yielding)
    }

    /// A handshake is over, either way.
    mutating func finished(_ id: ConnectionID) { unfinished.removeAll { $0.id == id } }

    /// Somebody wants to pair; nil: it may try. A refused attempt does not count.
    mutating func pairingAttempted(from host: String, at now: Instant) -> Refusal? {
        let address = AddressBlock(of: host)
        pairingAttempts.removeAll { now - $0.at >= .seconds(60) }
        let ofAddress = pairingAttempts.count { $0.address == address }
        guard ofAddress < Limits.pairingsPerAddressAndMinute, pairingAttempts.count < Limits.pairingsPerMinute
        else {
            return Refusal(
                .pairingLimit,
                [
                    Fact("address", address), Fact("attempts", ofAddress),
                    Fact("in all", pairingAttempts.count),
                ])
        }
        pairingAttempts.append(PairingAttempt(address: address, at: now))
        return nil
    }
}
