import Foundation
import MeshBase
import MeshControl
import Testing

/// Two hosts and a router between them that forwards one port: nobody dials through it but by that port.
///
///     alice 10.91.1.2:7410 ── router 10.91.1.1 | 10.91.2.1:17410 -> alice ── 10.91.2.2 bob
private struct ForwardingRouter: Sendable {
    let name: String

    static let isPossible =
        geteuid() == 0 && ["ip", "nft", "nsenter"].allSatisfy { Command.tool($0) != nil } && Program.isHere

    init() { name = "fw" + String(UInt32.random(in: 0..<100_000)) }

    func run(_ command: String) async throws {
        let done = try await Command.run("/bin/bash", ["-ec", command])
        guard done.status == 0 else { throw NeverHappened(description: "\(command): \(done.errors)") }
    }

    func up() async throws {
        let (a, b, r) = (name + "a", name + "b", name + "r")
        try await run(
            """
            for n in \(a) \(b) \(r); do ip netns add $n; ip -n $n link set lo up; done
            ip -n \(a) link add eth0 type veth peer name toa netns \(r)
            ip -n \(b) link add eth0 type veth peer name tob netns \(r)
            ip -n \(a) addr add 10.91.1.2/24 dev eth0; ip -n \(b) addr add 10.91.2.2/24 dev eth0
            ip -n \(r) addr add 10.91.1.1/24 dev toa; ip -n \(r) addr add 10.91.2.1/24 dev tob
            ip -n \(a) link set eth0 up; ip -n \(b) link set eth0 up
            ip -n \(r) link set toa up; ip -n \(r) link set tob up
            ip -n \(a) route add default via 10.91.1.1
            ip netns exec \(r) sysctl -qw net.ipv4.ip_forward=1
            ip netns exec \(r) nft -f - <<'RULES'
            table ip way {
              chain in { type nat hook prerouting priority -100;
                iifname "tob" tcp dport 17410 dnat to 10.91.1.2:7410; }
              chain through { type filter hook forward priority 0; policy drop;
                ct state established,related accept;
                iifname "tob" ip daddr 10.91.1.2 tcp dport 7410 ct status dnat accept; }
            }
            RULES
            """)
    }

    func down() async {
        do {
            try await run("for n in \(name)a \(name)b \(name)r; do ip netns del $n; done")
        } catch {
            print("namespaces of \(name) stay behind: \(error)")
        }
    }

    func on(_ host: String) -> [String] { ["/usr/bin/env", "ip", "netns", "exec", name + host] }
}

@Suite(
    "A node behind a forwarded port", .timeLimit(.minutes(2)),
    .enabled(if: ForwardingRouter.isPossible, "needs root, ip, nft and the program"))
struct ForwardedPortTests {
    @Test("is joined at the address that it advertises, and dialled there again after a restart of either")
    func advertised() async throws {
        try await TestMesh.with { mesh in
            let router = ForwardingRouter()
            mesh.atEnd { await router.down() }
            try await router.up()
            let options = ["--advertise", "10.91.2.1:17410"]
            let alice = try AgentProcess(
                home: mesh.folder.file("alice"), name: "alice", options: options, prefix: router.on("a"))
            mesh.atEnd { await alice.end() }
            var bob = try AgentProcess(
                home: mesh.folder.file("bob"), name: "bob", options: [], prefix: router.on("b"))
            mesh.atEnd { [bob] in await bob.end() }
            let own = try await eventually("alice answers") { await alice.status() }
            #expect(own.listening.link.map(\.description) == ["10.91.2.1:17410"])
            try await until("bob answers") { await bob.status() != nil }

            let line = try await Command.comity("invite", "--no-wait", "--home", alice.home)
            let joined = try await Command.comity("join", "-", "--home", bob.home, input: line.output)
            #expect(joined.status == 0, "\(joined)")
            let other = try await eventually("bob tells who he is") { await bob.status()?.node.id }
            try await until("they are linked", within: .seconds(20)) { await alice.link(with: other) == .up }
            let known = try #require(await bob.status()?.peers.first)
            #expect(known.address?.description == "10.91.2.1:17410")

            try await bob.stop()
            bob = try AgentProcess(home: bob.home, name: "bob", options: [], prefix: router.on("b"))
            mesh.atEnd { [bob] in await bob.end() }
            try await until("bob is back", within: .seconds(30)) { await bob.link(with: own.node.id) == .up }
            try await alice.stop()
            let again = try AgentProcess(
                home: alice.home, name: "alice", options: options, prefix: router.on("a"))
            mesh.atEnd { await again.end() }
            try await until("alice is back", within: .seconds(40)) { await again.link(with: other) == .up }
        }
    }
}
