import MeshAvahi
import Testing

/// Real Avahi daemons on a LAN of network namespaces. Time limits are generous: publishing takes a second.
@Suite(
    "Avahi on a small LAN", .serialized,
    .enabled(if: Lab.obstacle == nil, Comment(rawValue: "no lab here: \(Lab.obstacle ?? "")")))
struct SmallLANTests {
    @Test("what one host announces another sees, with its TXT, over both families, and its goodbye")
    func announces() async throws {
        try await inLab { lab in
            let watcher = try lab.witness(in: 2, port: nil)
            _ = try await watcher.event("running", within: 5)
            let speaker = try lab.witness(in: 1, port: 7410, txt: "first")
            _ = try await watcher.event("ipv4", "at 10.84.0.1:7410", "txt t=first,v=1 ", "foreign", within: 5)
            _ = try await watcher.event(
                "ipv6", "at [fe80::", "%eth0]:7410", "txt t=first,v=1 ", "foreign", within: 5)
            _ = try await speaker.event("ipv4", "at 10.84.0.1:7410", "own", within: 5)

            try speaker.order("second")
            _ = try await watcher.event("ipv4", "txt t=second", within: 10)

            let position = watcher.events.count
            speaker.end()
            _ = try await watcher.event("withdrawn", "ipv4", from: position, within: 5)
            _ = try await watcher.event("withdrawn", "ipv6", from: position, within: 5)
        }
    }

    @Test("two hosts announce and see each other, and know their own")
    func seesEachOther() async throws {
        try await inLab { lab in
            let witnesses = try [
                lab.witness(in: 1, port: 7410, txt: "one"), lab.witness(in: 2, port: 7411, txt: "two"),
            ]
            _ = try await witnesses[0].event("ipv4", ":7411", "t=two", "foreign", within: 5)
            _ = try await witnesses[1].event("ipv4", ":7410", "t=one", "foreign", within: 5)
            _ = try await witnesses[0].event("ipv4", ":7410", "t=one", "own", within: 5)
        }
    }

    @Test("an absent daemon is reported once, and all returns with it")
    func recovers() async throws {
        try await inLab { lab in
            try lab.lan("avahi-stop", "2")
            let watcher = try lab.witness(in: 2, port: 7411, txt: "two")
            _ = try await watcher.event("unavailable", within: 5)
            let speaker = try lab.witness(in: 1, port: 7410, txt: "one")
            _ = try await speaker.event("announced", within: 5)
            try lab.lan("avahi-start", "2")
            _ = try await watcher.event("ipv4", ":7410", "t=one", within: 10)
            _ = try await speaker.event("ipv4", ":7411", "t=two", within: 10)
            #expect(watcher.events.filter { $0.contains("unavailable") }.count == 1)

            var position = watcher.events.count
            try lab.lan("avahi-kill", "2")
            _ = try await watcher.event("unavailable", from: position, within: 5)
            position = watcher.events.count
            try lab.lan("avahi-start", "2")
            _ = try await watcher.event("announced", from: position, within: 10)
            _ = try await watcher.event("ipv4", ":7410", "t=one", from: position, within: 10)
        }
    }

    @Test("a host behind a partition is seen again soon after it heals")
    func healsPartition() async throws {
        try await inLab { lab in
            try lab.lan("partition", "1", "2")
            let watcher = try lab.witness(in: 2, port: nil)
            let speaker = try lab.witness(in: 1, port: 7410, txt: "one")
            _ = try await speaker.event("announced", within: 5)
            try await Task.sleep(for: .seconds(3))
            #expect(!watcher.events.contains { $0.contains("sighted") })
            try lab.lan("heal")
            _ = try await watcher.event("ipv4", ":7410", "t=one", within: 8)
        }
    }

    private func inLab(_ body: (Lab) async throws -> Void) async throws {
        let lab = try Lab(nodes: 2)
        let result: Result<Void, any Error>
        do {
            try await body(lab)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try lab.down()
        try result.get()
    }
}
