import Foundation
import MeshAudit
import MeshBase
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshStore

@Suite("A backup", .timeLimit(.minutes(2)))
struct BackupTests {
    @Test("of yesterday, restored after changes, is accepted by all peers and rolls nobody back")
    func yesterday() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let carol = try await mesh.start("carol")
            try await carol.join(alice)
            try await alice.provide("orders", at: "http://127.0.0.1:9", ["list=GET / safe"])
            try await alice.offer("orders", to: bob)
            let file = mesh.folder.file("alice.tar")
            try await alice.backUp(to: file)

            // What happens since: other resources, another agreement, and a clock that ran a day ahead.
            try await alice.provide("bread", at: "http://127.0.0.1:9", ["list=GET / safe"])
            try await alice.offer("bread", to: bob)
            await alice.stop()
            let ahead = Persona.now.milliseconds + 86_400_000
            try alice.store { store throws(StoreError) in
                try store.commit([.putSetting(SettingRow(key: "boot", value: String(ahead)))])
            }
            let later = try await mesh.start("alice")
            for peer in [bob, carol] { try await later.linked(with: peer, within: .seconds(30)) }
            #expect(later.identity.boot.number == ahead + 1)
            let known = try bob.positions(of: later)
            #expect(!known.isEmpty)
            await later.stop()

            let restored = try RestoredHome.make(from: file, in: Home(path: mesh.folder.file("new")))
            #expect(restored.label.node == alice.node)
            let again = try await mesh.start("alice", home: "new")
            #expect(again.node == alice.node && again.identity.boot.number < ahead)
            for peer in [bob, carol] {
                try await again.linked(with: peer, within: .seconds(60))
                #expect(await peer.state(of: again.node) == .trusted)
                let alarms = try await peer.events(AuditQuery(type: .trust)).filter {
                    $0.event.action == "boot returned"
                }
                #expect(alarms.count <= 1)
            }
            #expect(await again.plane.node.me.boot.number == ahead + 2)
            try await until("bob holds newer heads than before", within: .seconds(30)) {
                try bob.positions(of: again).allSatisfy { audience, position in
                    known[audience].map { $0 < position } ?? true
                }
            }
            // What both signed since is not undone at the one who remembers.
            let agreed = await bob.plane.node.agreements.records.flatMap(\.agreement.grants)
            #expect(agreed.contains { $0.resource == ResourceName("bread") })
            let told = try await again.events(AuditQuery(limit: 200)).map(\.event.action)
            #expect(told.contains("home restored") && told.contains("boot raised after a restore"))
        }
    }

    @Test(
        "none, the store lost and the key kept: after a new invite it goes on above the boot that peers name")
    func lost() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = (try await mesh.start("alice"), try await mesh.start("bob"))
            try await alice.join(bob)
            await alice.stop()
            // A clock that ran a year ahead, and the disk is gone.
            let ahead = Persona.now.milliseconds + 365 * 86_400_000
            try alice.store { store throws(StoreError) in
                try store.commit([.putSetting(SettingRow(key: "boot", value: String(ahead)))])
            }
            let later = try await mesh.start("alice")
            try await later.linked(with: bob, within: .seconds(30))
            await later.stop()
            for file in try FileManager.default.contentsOfDirectory(atPath: mesh.folder.file("alice"))
            where file.hasPrefix("comity.db") || file == "journal" {
                try FileManager.default.removeItem(atPath: mesh.folder.file("alice/\(file)"))
            }
            let again = try await mesh.start("alice")
            #expect(again.node == alice.node && again.identity.boot.number < ahead)
            try await again.join(bob)
            try await again.linked(with: bob, within: .seconds(60))
            #expect(await again.plane.node.me.boot.number == ahead + 2)
            let told = try await again.events(AuditQuery(limit: 200)).map(\.event.action)
            #expect(told.contains("home restored") && told.contains("boot raised after a restore"))
        }
    }

    @Test("of an issuer, restored after changes, is accepted by every member, and no member is rolled back")
    func issuer() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            _ = try await alice.agent.handlers.createDomain(
                .init(name: try #require(NodeName("acme")), roles: []))
            let made = try await alice.agent.handlers.makeToken(
                .init(roles: [], expiresSeconds: 600, uses: 9))
            let token = mesh.folder.file("acme.token")
            #expect(
                FileManager.default.createFile(
                    atPath: token, contents: Data(made.token.utf8), attributes: [.posixPermissions: 0o600]))
            func member(_ name: String) async throws -> RunningAgent {
                let settings = [
                    "COMITY_JOIN_FILE": token, "COMITY_DISCOVERY_STATIC": alice.link.description,
                ]
                let member = try await mesh.start(name, environment: settings)
                try await member.linked(with: alice)
                return member
            }
            let (bob, carol) = (try await member("bob"), try await member("carol"))
            try await alice.offerToDomain("orders")
            try await until("both see the orders") {
                for member in [bob, carol] where await !member.sees("orders") { return false }
                return true
            }
            let file = mesh.folder.file("alice.tar")
            try await alice.backUp(to: file)

            // Since then she has offered more, and enrolled a member that the backup does not know.
            try await alice.offerToDomain("bread")
            let dave = try await member("dave")
            let members = [bob, carol, dave]
            for member in members {
                try await until("\(member.identity.name) sees the bread") { await member.sees("bread") }
            }
            let known = try members.map { try $0.positions(of: alice) }
            let house = await bob.agent.handlers.listAgreements().house?.id
            await alice.stop()

            _ = try RestoredHome.make(from: file, in: Home(path: mesh.folder.file("new")))
            let again = try await mesh.start(
                "alice", home: "new",
                environment: [
                    "COMITY_DISCOVERY_STATIC": members.map(\.link.description).joined(separator: ",")
                ])
            #expect(again.node == alice.node)
            for (member, old) in zip(members, known) {
                try await again.linked(with: member, within: .seconds(60))
                #expect(await member.state(of: again.node) == .trusted)
                #expect(await again.state(of: member.node) == .trusted)
                try await until("\(member.identity.name) holds newer heads", within: .seconds(30)) {
                    let new = try member.positions(of: again)
                    // Between the two alone nothing was said since, and the head is the same.
                    return !old.isEmpty
                        && old.allSatisfy { audience, position in
                            let isRaised = new[audience].map { position < $0 } ?? false
                            return isRaised || (audience.hasPrefix("pair:") && new[audience] == position)
                        }
                }
                #expect(await member.agent.handlers.listAgreements().house?.id == house)
            }
            // What she says from now on is heard by all, and what they offer answers.
            try await again.offerToDomain("milk")
            for member in members {
                try await until("\(member.identity.name) sees the milk", within: .seconds(30)) {
                    await member.sees("milk")
                }
                try await until("calls pass both ways", within: .seconds(20)) {
                    let there = try await again.application.invoke("\(member.identity.name)/echo").status
                    let back = try await member.application.invoke("alice/echo").status
                    return there == 200 && back == 200
                }
            }
        }
    }

    @Test("is of one moment with the journal, whatever goes on meanwhile")
    func oneMoment() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            try await alice.provide("orders", at: backend.url, ["add=POST /add unsafe"])
            try await alice.offer("orders", to: bob)
            let calls = Task {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<4 {
                        tasks.addTask {
                            while !Task.isCancelled {
                                let key = UUID().uuidString
                                _ = try await bob.application.invoke(
                                    "alice/orders/add", headers: ["idempotency-key": key])
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            for number in 0..<5 {
                let file = mesh.folder.file("alice\(number).tar")
                try await alice.backUp(to: file)
                let home = Home(path: mesh.folder.file("copy\(number)"))
                _ = try RestoredHome.make(from: file, in: home)
                let store = try Store.open(path: home.store)
                let journal = try Journal.open(folder: home.journal)
                let index = try AuditIndex(store: store, journal: journal)
                #expect(journal.opening == JournalOpening())
                #expect(try index.position <= journal.end)
                // A key whose effect is in the journal is in the store, and the other way round a call that
                // ended has its key: the store is neither behind nor ahead by more than what is under way.
                let open = try index.unfinishedCalls()
                #expect(open.underWay.count <= 16 && open.unclosed.count <= 8)
                let keys = try store.load().idempotency.count
                let ended = try index.entries(AuditQuery(type: .service, limit: AuditQuery.limitMax)).count
                #expect(abs(keys - ended) <= 16, "\(keys) keys, \(ended) calls")
                #expect(number == 0 || keys > 0)
                journal.close()
                try store.close()
            }
            calls.cancel()
            _ = await calls.result
            #expect(try FolderWork.names(in: alice.home.path).allSatisfy { !HomeSnapshot.isSnapshot($0) })
        }
    }

    @Test("that is damaged, cut off or of something else makes no home")
    func damage() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let file = mesh.folder.file("alice.tar")
            try await alice.backUp(to: file)
            let good = try Data(contentsOf: URL(filePath: file))
            var copies = [Data(), Data(good.prefix(good.count / 2)), Data(good.dropLast(1_600))]
            for place in stride(from: 300, to: good.count - 1_024, by: good.count / 23) {
                var copy = good
                copy[place] ^= 1
                // Bytes between files, which stand for nothing, may be anything.
                if Self.counts(place, in: good) { copies.append(copy) }
            }
            for copy in copies {
                let bad = mesh.folder.file("bad.tar")
                try copy.write(to: URL(filePath: bad))
                let home = Home(path: mesh.folder.file("new"))
                #expect(throws: BackupError.self) { try RestoredHome.make(from: bad, in: home) }
                #expect(try FolderWork.names(in: home.path) == ["lock"])
            }
            let home = Home(path: mesh.folder.file("new"))
            _ = try RestoredHome.make(from: file, in: home)
            #expect(throws: BackupError.self) { try RestoredHome.make(from: file, in: home) }
        }
    }

    @Test("holds all that a home holds but what is made anew")
    func wholeness() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice", environment: ["COMITY_GATEWAY_ACCESS": "token"])
            _ = try await alice.agent.handlers.createDomain(
                .init(name: try #require(NodeName("acme")), roles: []))
            let madeAnew = [
                "encryption.keys", "lock", "control.sock", "gateway.sock", "comity.db-wal", "comity.db-shm",
                "comity.db",
                "journal",
            ]
            for name in try FolderWork.names(in: alice.home.path) where !madeAnew.contains(name) {
                #expect(Home.keptFiles.contains(name), "\(name) would be missing from a backup")
            }
        }
    }

    @Test("holds no key that opens sealed payloads, so that what was recorded stays closed to who has it")
    func sealedPayloads() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            try await until("Alice has made her key") { alice.calls.encryption.held != nil }
            let before = try #require(alice.calls.encryption.held)
            let file = mesh.folder.file("alice.tar")
            try await alice.backUp(to: file)
            #expect(try FolderWork.names(in: alice.home.path).contains("encryption.keys"))
            await alice.stop()
            let home = Home(path: mesh.folder.file("new"))
            _ = try RestoredHome.make(from: file, in: home)
            #expect(!(try FolderWork.names(in: home.path).contains { $0.hasPrefix("encryption.keys") }))
            let again = try await mesh.start("alice", home: "new")
            try await until("a new one is made") { again.calls.encryption.held != nil }
            #expect(again.calls.encryption.held?.current != before.current)
            await again.stop()
            _ = try PersonKey.prepare(at: PersonKey.file(of: try #require(NodeName("ann")), in: home.path))
            #expect(try HomePurge.run(home).isEmpty)
        }
    }

    /// Whether a byte of an archive is part of something.
    private static func counts(_ place: Int, in archive: Data) -> Bool {
        var offset = 0
        while offset + 512 <= archive.count {
            let block = [UInt8](archive[offset..<offset + 512])
            do {
                guard let header = try TarHeader(block) else { return false }
                let end = offset + 512 + Int(header.lengthInBytes)
                if place < offset + 512 { return archive[place] != 0 }
                if place < end { return true }
                offset = end + header.padding
                if place < offset { return false }
            } catch {
                return false
            }
        }
        return false
    }
}

extension RunningAgent {
    /// As `comity backup` does.
    fileprivate func backUp(to file: String) async throws {
        let snapshot = HomeSnapshot(try await agent.handlers.makeSnapshot())
        _ = try BackupWriter.pack(snapshot, to: file)
        try snapshot.remove()
    }

    fileprivate func offerToDomain(_ name: String) async throws {
        let added = try await Command.comity(
            "resource", "add", name, "--url", "http://127.0.0.1:9", "--offer-to", "domain", "--home",
            home.path)
        #expect(added.status == 0, "\(added)")
    }

    /// Whether somebody else's resource of this name is in its catalog.
    fileprivate func sees(_ name: String) async -> Bool {
        let found = await agent.handlers.findResources(.init(query: name, labels: []))
        return found.entries.contains { $0.description.name.description == name && !$0.isHere }
    }

    /// Opens the store of this agent, which has stopped.
    fileprivate func store(_ work: (Store) throws(StoreError) -> Void) throws {
        let store = try Store.open(path: home.store)
        try work(store)
        try store.close()
    }

    /// The positions of the heads that this agent holds of another.
    fileprivate func positions(of other: RunningAgent) throws -> [String: [Int64]] {
        let heads = try agent.ground.store.load().heads.filter { $0.owner == other.node }
        return Dictionary(uniqueKeysWithValues: heads.map { ($0.audience, [$0.epoch, $0.sequence]) })
    }
}

/// Positions are compared epoch first.
private func < (left: [Int64], right: [Int64]) -> Bool { left.lexicographicallyPrecedes(right) }
