import Foundation
import MeshAudit
import MeshBase
import MeshControl
import MeshTrust
import MeshWire
import Testing

@testable import MeshAgent
@testable import MeshStore

/// One test for each way in that must stay shut. Each looks at three things: the code, what a person is told,
/// and the stores of both sides, which are the same afterwards as before.
@Suite(
    "Who may not come in is told why, and nothing is stored:", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct RefusedTests {
    // MARK: Words

    @Test("four words that are not those of the other screen")
    func wrongWords() async throws {
        try await between { alice, bob in
            let left = try Dialogue([Program.path, "pair", "--home", alice.home.path])
            defer { left.end() }
            try await left.says("open")
            let told = try await Command.comity(
                "pair", alice.link.description, "--yes-if", "acorn acorn acorn acorn", "--home",
                bob.home.path)
            told.refuses(.pairingWordsDiffer, "acorn acorn acorn acorn")
            try await left.says("pairing-declined")
        }
    }

    // MARK: Invites

    @Test("a line whose secret is another one")
    func otherSecret() async throws {
        try await between { alice, bob in
            let invite = try InviteLine.decode(try await alice.line())
            let wrong = try InviteLine.encode(
                Invite(
                    inviter: invite.inviter, endpoints: invite.endpoints,
                    secret: Octets(SystemRandom.bytes(16)), expires: invite.expires))
            try await alice.refuses(.inviteUnknown) {
                try await bob.joins(wrong).refuses(.inviteUnknown, "reference")
            }
        }
    }

    @Test("a line that is over, also when its date is written anew")
    func expiredLine() async throws {
        try await between { alice, bob in
            let line = try await alice.line(life: "1s")
            let invite = try InviteLine.decode(line)
            // The line rounds down to a second what the inviter's book holds.
            try await until("the line is over") { invite.expires + .seconds(1) < SystemClock.now().wall }
            try await bob.joins(line).refuses(.inviteExpired, "until")
            let forged = try InviteLine.encode(
                Invite(
                    inviter: invite.inviter, endpoints: invite.endpoints, secret: invite.secret,
                    expires: invite.expires + .seconds(3_600)))
            try await bob.joins(forged).refuses(.pairingClosed)
        }
    }

    @Test("a line that somebody else has used")
    func usedLine() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let carol = try await mesh.start("carol")
            let bob = try await mesh.start("bob")
            let line = try await alice.line()
            try await #expect(carol.joins(line).status == 0)
            try await alice.settled()
            try await unchanged(alice, bob) {
                try await alice.refuses(.inviteUsed) {
                    try await bob.joins(line).refuses(.inviteUsed, "invite")
                }
            }
        }
    }

    // MARK: Join tokens

    @Test("a token of another domain")
    func otherDomain() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.found("acme", by: "alice")
            let mallory = try await mesh.found("emca", by: "mallory")
            let token = try await mesh.token(of: mallory, life: 600)
            await mallory.stop()
            // Who does not know the domain tells a stranger nothing; its own operator finds the reason.
            try await alice.refuses(.domainUnknown) {
                try await staysOut("bob", with: token, of: alice, in: mesh, told: .handshakeRefused)
            }
        }
    }

    @Test("a token that is over")
    func expiredToken() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.found("acme", by: "alice")
            let token = try await mesh.token(of: alice, life: 1)
            try await Task.sleep(for: .seconds(1))
            // The newcomer sees that by itself, and asks nobody.
            try await staysOut("bob", with: token, of: alice, in: mesh, told: .tokenExpired)
        }
    }

    @Test("a token that is used up")
    func usedToken() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.found("acme", by: "alice")
            let token = try await mesh.token(of: alice, life: 600, uses: 1)
            let carol = try await mesh.start(
                "carol",
                environment: ["COMITY_JOIN_FILE": token, "COMITY_DISCOVERY_STATIC": alice.link.description])
            try await carol.linked(with: alice)
            try await alice.settled()
            try await alice.refuses(.tokenUsed) {
                try await staysOut("bob", with: token, of: alice, in: mesh, told: .tokenUsed)
            }
        }
    }

    // MARK: Clocks

    // With a clock set back the library's timers stand still; so whose clock is ahead is what differs.
    @Test(
        "a node whose clock is ten minutes off, whichever of the two is ahead",
        .enabled(if: FakeClock.isPossible, FakeClock.why), arguments: ["the joiner", "the inviter"])
    func clock(_ ahead: String) async throws {
        try await TestMesh.with { mesh in
            let right = try await mesh.start("right")
            let fast = try AgentProcess(
                home: mesh.folder.file("fast"), name: "fast",
                options: ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"],
                environment: try FakeClock(ahead: 600, in: mesh.folder).environment)
            mesh.atEnd { await fast.end() }
            try await until("the other answers") { await fast.status() != nil }
            let before = try right.kept()
            let homes = ahead == "the joiner" ? [right.home.path, fast.home] : [fast.home, right.home.path]
            let line = try await Command.comity("invite", "--no-wait", "--home", homes[0]).output
            let told = try await Command.comity("join", "-", "--home", homes[1], input: line)
            let now = SystemClock.now().wall
            let shown = [now, now + .seconds(600)].map { RFC3339.text($0).prefix(15) }
            told.refuses(.clockSkew, "here       \(shown[ahead == "the joiner" ? 1 : 0])")
            told.refuses(.clockSkew, "there      \(shown[ahead == "the joiner" ? 0 : 1])")
            try await until("the trail of both says so") {
                let other = try await Command.comity(
                    "audit", "list", "--code", "clock-skew", "--home", fast.home)
                return try await right.told(.clockSkew) && other.output.contains("clock-skew")
            }
            #expect(try right.kept() == before)
            #expect(await fast.status()?.peers.allSatisfy { $0.trust == .seen } == true)
            try await fast.stop()
            let store = try Store.open(path: Home(path: fast.home).store)
            let state = try store.load()
            #expect(state.peers.isEmpty && state.keys.isEmpty && state.agreements.isEmpty)
            try store.close()
        }
    }

    // MARK: What they have in common

    private func between(_ attempt: (RunningAgent, RunningAgent) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try await mesh.start("bob")
            try await unchanged(alice, bob) { try await attempt(alice, bob) }
        }
    }

    private func unchanged(
        _ one: RunningAgent, _ other: RunningAgent, _ attempt: () async throws -> Void
    ) async throws {
        let before = try (one.kept(), other.kept())
        try await attempt()
        #expect(try one.kept() == before.0)
        #expect(try other.kept() == before.1)
    }

    /// A newcomer that knows where the issuer is stays out, and its operator is told why.
    private func staysOut(
        _ name: String, with token: String, of issuer: RunningAgent, in mesh: TestMesh,
        told code: RefusalCode
    ) async throws {
        let before = try issuer.kept()
        let newcomer = try await mesh.start(
            name,
            environment: ["COMITY_JOIN_FILE": token, "COMITY_DISCOVERY_STATIC": issuer.link.description])
        try await until("\(name)'s trail says \(code.rawValue)") { try await newcomer.told(code) }
        let trail = try await Command.comity(
            "audit", "list", "--code", code.rawValue, "--home", newcomer.home.path)
        #expect(trail.output.contains(code.rawValue), "\(trail)")
        let status = try await Command.comity("status", "--home", newcomer.home.path).output
        let attention = status.components(separatedBy: "needs attention").last ?? ""
        #expect(attention.contains(code.rawValue) && attention.contains("next"), "\(status)")
        #expect(try issuer.kept() == before)
        let state = try newcomer.kept()
        #expect(state.peers.isEmpty && state.keys.isEmpty && state.credentials.isEmpty)
        #expect(state.agreements.isEmpty && state.houses.isEmpty)
    }
}

extension Command {
    /// It was refused with this code, for a reason that names what was compared, and with what to do next.
    fileprivate func refuses(
        _ code: RefusalCode, _ compared: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(status == 1 || status == 4, "\(self)", sourceLocation: sourceLocation)
        #expect(errors.contains(code.rawValue), "\(errors)", sourceLocation: sourceLocation)
        #expect(compared.map(errors.contains) ?? true, "\(errors)", sourceLocation: sourceLocation)
        #expect(errors.contains("next"), "\(errors)", sourceLocation: sourceLocation)
    }
}

extension TestMesh {
    /// A node with a domain of its own.
    fileprivate func found(_ domain: String, by name: String) async throws -> RunningAgent {
        let agent = try await start(name)
        _ = try await agent.agent.handlers.createDomain(
            .init(name: try #require(NodeName(domain)), roles: []))
        return agent
    }

    /// A file with a token of this issuer's domain.
    fileprivate func token(of issuer: RunningAgent, life: Int64, uses: Int = 9) async throws -> String {
        let made = try await issuer.agent.handlers.makeToken(
            .init(roles: [], expiresSeconds: life, uses: uses))
        let path = folder.file("\(issuer.identity.name).token")
        let isWritten = FileManager.default.createFile(
            atPath: path, contents: Data(made.token.utf8), attributes: [.posixPermissions: 0o600])
        try #require(isWritten)
        return path
    }
}

extension RunningAgent {
    /// What its store holds; of invites, those that serve somebody.
    fileprivate func kept() throws -> StoredState {
        var state = try agent.ground.store.load()
        state.invites.removeAll { $0.usedBy == nil }
        return state
    }

    /// Waits until what began with a new peer has come to rest in the store.
    fileprivate func settled() async throws {
        var last = try kept()
        var since = ContinuousClock.now
        try await until("the store rests") {
            let now = try kept()
            if now != last { (last, since) = (now, ContinuousClock.now) }
            return ContinuousClock.now - since > .seconds(1)
        }
    }

    fileprivate func line(life: String = "1h") async throws -> String {
        let made = try await Command.comity(
            "invite", "--no-wait", "--expires", life, "--home", home.path)
        #expect(made.status == 0, "\(made.errors)")
        return made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    fileprivate func joins(_ line: String) async throws -> Command {
        try await Command.comity("join", "-", "--home", home.path, input: line)
    }

    /// Whether its trail has a refusal with this code.
    fileprivate func told(_ code: RefusalCode) async throws -> Bool {
        try await events(AuditQuery(type: .trust, limit: AuditQuery.limitMax)).contains { entry in
            entry.event.refusals.contains { $0.code == code }
        }
    }

    /// What happens in `attempt` leaves this reason in its trail.
    fileprivate func refuses(_ code: RefusalCode, _ attempt: () async throws -> Void) async throws {
        try await attempt()
        try await until("\(identity.name)'s trail says \(code.rawValue)") { try await told(code) }
    }
}
