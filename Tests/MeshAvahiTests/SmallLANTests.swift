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

    @Test("a bus that is not there yet, or ends, is found within seconds of its start, long before a renewal")
    func findsBus() async throws {
        try await inLab { lab in
            try lab.lan("bus-stop", "2")
            let watcher = try lab.witness(in: 2, port: 7411, txt: "two", renewal: 3_600)
            _ = try await watcher.event("unavailable", within: 5)
            try lab.lan("bus-start", "2")
            _ = try await watcher.event("announced", within: 20)

            let position = watcher.events.count
            try lab.lan("bus-stop", "2")
            _ = try await watcher.event("unavailable", from: position, within: 10)
            try lab.lan("bus-start", "2")
            _ = try await watcher.event("announced", from: position, within: 20)
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

    @Test("a daemon that is started anew, politely or not, is told from one that is gone")
    func restarts() async throws {
        try await inLab { lab in
            let watcher = try lab.witness(in: 2, port: 7411, txt: "two")
            let speaker = try lab.witness(in: 1, port: 7410, txt: "one")
            _ = try await watcher.event("ipv4", ":7410", "t=one", within: 10)
            for order in ["avahi-stop", "avahi-kill"] {
                let position = (watcher.events.count, speaker.events.count)
                try lab.lan(order, "1")
                try lab.lan("avahi-start", "1")
                _ = try await speaker.event("announced", from: position.1, within: 15)
                _ = try await watcher.event("ipv4", ":7410", "t=one", from: position.0, within: 15)
                _ = try await speaker.event("ipv4", ":7411", "t=two", from: position.1, within: 15)
            }
        }
    }

    @Test("an interface that goes takes its sightings with it, and brings them back")
    func loosesInterface() async throws {
        try await inLab { lab in
            let watcher = try lab.witness(in: 2, port: 7411, txt: "two")
            let speaker = try lab.witness(in: 1, port: 7410, txt: "one")
            _ = try await watcher.event("ipv4", ":7410", "t=one", within: 10)
            _ = try await speaker.event("ipv4", ":7411", "t=two", within: 10)
            var position = watcher.events.count
            try lab.lan("exec", "2", "ip", "link", "set", "eth0", "down")
            _ = try await watcher.event("withdrawn", "ipv4", from: position, within: 15)
            position = watcher.events.count
            let before = speaker.events.count
            try lab.lan("exec", "2", "ip", "link", "set", "eth0", "up")
            _ = try await watcher.event("ipv4", "at 10.84.0.1:7410", "t=one", from: position, within: 30)
            _ = try await watcher.event("ipv6", "%eth0]:7410", "t=one", from: position, within: 30)
            _ = try await speaker.event("ipv4", ":7411", "t=two", from: before, within: 30)
        }
    }

    @Test("two that have one name both end up announced, under two")
    func collides() async throws {
        try await inLab { lab in
            let speakers = try [
                lab.witness(in: 1, port: 7410, txt: "one", instance: "same"),
                lab.witness(in: 1, port: 7411, txt: "two", instance: "same"),
                lab.witness(in: 2, port: 7412, txt: "three", instance: "same"),
            ]
            for speaker in speakers { _ = try await speaker.event("announced", within: 15) }
            #expect(speakers.filter { $0.events.contains { $0.contains("collision") } }.count >= 2)
            let watcher = try lab.witness(in: 2, port: nil)
            for text in ["t=one", "t=two", "t=three"] {
                _ = try await watcher.event("ipv4", text, within: 15)
            }
            let names = watcher.events.compactMap { event in
                event.firstMatch(of: /sighted (\w+) on/).map { String($0.1) }
            }
            #expect(Set(names).count == 3)
        }
    }

    @Test("what a container bridge or a tunnel has for an address is told to nobody on another interface")
    func keepsBridgesApart() async throws {
        try await inLab { lab in
            for node in ["1", "2"] {
                // A bridge with a container's cable in it, and a cable of which both ends are here.
                for words in [
                    "link add docker0 type bridge", "link add docker1 type veth peer name docker2",
                    "link set docker1 master docker0 up", "link set docker2 up", "link set docker0 up",
                    "address add 172.17.0.1/16 dev docker0", "link add tun0 type veth peer name tun1",
                    "link set tun1 up", "link set tun0 up", "address add 10.8.0.\(node)/24 dev tun0",
                ] {
                    try lab.ip(in: node, words)
                }
                try lab.lan("avahi-stop", node)
                try lab.allowAllInterfaces(of: Int(node) ?? 0)
                try lab.lan("avahi-start", node)
            }
            let watcher = try lab.witness(in: 2, port: 7411, txt: "two")
            let speaker = try lab.witness(in: 1, port: 7410, txt: "one")
            _ = try await watcher.event("on eth0 over ipv4", "at 10.84.0.1:7410", "foreign", within: 15)
            _ = try await watcher.event("on eth0 over ipv6", "%eth0]:7410", "foreign", within: 15)
            // Its own service it meets on the bridge, too, and knows it.
            _ = try await speaker.event("on docker0 over ipv4", "172.17.0.1:7410", "own", within: 15)
            _ = try await speaker.event("on eth0", ":7411", "foreign", within: 15)
            for events in [watcher.events, speaker.events] {
                let foreign = events.filter { $0.hasSuffix("foreign") }
                #expect(foreign.allSatisfy { !$0.contains("172.17.") && !$0.contains("10.8.0.") })
                #expect(foreign.allSatisfy { $0.contains("on eth0") })
            }
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
