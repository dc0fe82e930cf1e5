import MeshBase
import MeshSimulator

@testable import MeshGossip

/// Who and what the tests of this module speak of.
enum Samples {
    static let suite = SimulatedSuite()
    static let alice = SimulatedKey(1)
    static let bob = SimulatedKey(2)
    static let carol = SimulatedKey(3)
    static let start = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wall: WallTime(milliseconds: 1_700_000_000_000))

    static func name(_ text: String) -> ResourceName { ResourceName(text)! }

    static func resource(_ name: String, path: String = "/") -> ResourceDescription {
        ResourceDescription(
            name: self.name(name), protocol: .http,
            capabilities: [
                Capability(name: self.name("read"), methods: ["GET"], path: path, safety: .safe)
            ], labels: [])
    }

    static func resources(_ count: Int, prefix: String = "resource") -> [ResourceDescription] {
        (0..<count).map { resource("\(prefix)-\($0 + 1_000)") }
    }

    /// A description whose encoding is near the limit of a record's body.
    static func bulkyResource(_ name: String) -> ResourceDescription {
        let filler = String(repeating: "x", count: 200)
        return ResourceDescription(
            name: self.name(name), protocol: .http,
            capabilities: resource(name).capabilities,
            labels: (0..<13).map { ResourceLabel(key: self.name("label-\($0)"), value: filler) })
    }

    static func terms(
        _ node: NodeID, dialler: NodeID, boot: Int64 = 1, distance: LinkDistance = .local
    ) -> LinkTerms {
        LinkTerms(
            node: node, dialler: dialler, boot: BootID(number: boot, random: 7), skew: .zero,
            certificateExpires: WallTime(milliseconds: 0),
            remote: Endpoint(host: "192.0.2.7", port: 7410), distance: distance)
    }
}

extension Moment {
    /// The same clocks after `duration`.
    func after(_ duration: Duration) -> Moment {
        Moment(instant: instant + duration, wall: wall + duration)
    }

    /// The same instant, with a wall clock that was set forward, or back.
    func withClockSet(by jump: Duration) -> Moment { Moment(instant: instant, wall: wall + jump) }
}
