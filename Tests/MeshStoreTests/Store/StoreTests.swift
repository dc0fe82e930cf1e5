import Foundation
import GRDB
import MeshBase
import Testing

@testable import MeshStore

@Suite struct StoreTests {
    let home: TemporaryFolder
    var path: String { home.path + "/comity.db" }

    init() throws { home = try TemporaryFolder() }

    @Test func `gives back one row of every kind after it was opened again`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        let before = try store.load()
        try store.close()
        let again = try Store.open(path: path)
        let state = try again.load()
        #expect(state == before)
        #expect(state.settings == [SettingRow(key: "boot", value: "17")])
        #expect(state.peers == [peer(1, name: "one")])
        #expect(state.endpoints.map(\.endpoint.description) == ["[fe80::1%eth0]:7410"])
        #expect(state.keys == [PinnedKeyRow(pin: pin(1), node: node(1), state: .pinned)])
        #expect(state.invites.map(\.usedBy) == [pin(2)])
        #expect(state.resources.map(\.resource) == [ordersResource])
        #expect(state.routes.map(\.via) == [[.init(node: node(2), weight: 3), .init(node: node(1))]])
        #expect(state.routes.map(\.choice.preferences.description) == ["[region=grün:1/4]"])
        #expect(state.routes.map(\.choice.preferred) == [node(2)] && state.routes[0].choice.order == .spread)
        #expect(state.routes[0].choice.hedge == .percentile(95))
        #expect(state.agreements.map(\.document) == [[7, 0, 7]])
        #expect(state.agreements.map(\.approvals) == [[8, 0, 8]])
        #expect(state.people.map(\.document) == [[5, 0, 5]] && state.people.map(\.ended) == [wall(7)])
        #expect(state.houses.map(\.domain) == [DomainID(digest(5))] && state.houses.map(\.version) == [3])
        #expect(state.papers.map(\.document) == [[6, 0, 6]] && state.papers.map(\.kind) == [.bundle])
        #expect(state.convictions == [ConvictionRow(node: node(3), evidence: "two heads", since: wall(8))])
        #expect(state.heads.map(\.sequence) == [1 << 51])
        #expect(state.records.map(\.body) == [[]])
        #expect(state.idempotency.map(\.state) == [.started])
    }

    @Test func `removes one row of every kind but keys and house agreements`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.commit([
            .removeSetting(key: "boot"),
            .removeEndpoint(node(1), Endpoint(host: "fe80::1%eth0", port: 7410), witness: "mdns"),
            .removePeer(node(1)), .removeInvite(id: [1, 2]), .removeResource(orders), .removeRoute(orders),
            .removeAgreement(contentID: digest(4)), .removeDomainAgreement(contentID: digest(9)),
            .removePerson(NodeName("ann")!),
            .removePaper(.bundle, DomainID(digest(5))), .removeConviction(node(3)),
            .removeRecord(owner: node(1), audience: "pair", key: "orders"),
            .removeHead(owner: node(1), audience: "pair"), .removeIdempotency(caller: node(1), key: "k"),
        ])
        var left = StoredState()
        left.keys = [PinnedKeyRow(pin: pin(1), node: node(1), state: .pinned)]
        left.houses = try store.load().houses
        #expect(try store.load() == left && left.houses.count == 1)
    }

    @Test func `replaces a row that is put again without touching what hangs on it`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.commit([
            .putPeer(peer(1, name: "renamed")),
            .putHead(
                HeadRow(owner: node(1), audience: "pair", epoch: 2, sequence: 1, root: .zero, document: [1])),
        ])
        let state = try store.load()
        #expect(state.peers.map(\.name) == [NodeName("renamed")])
        #expect(state.endpoints.count == 1)
        #expect(state.heads.map(\.epoch) == [2])
        #expect(state.records.count == 1)
    }

    @Test func `takes what hangs on a peer or a head with it`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.commit([.removePeer(node(1)), .removeHead(owner: node(1), audience: "pair")])
        let state = try store.load()
        #expect(state.endpoints.isEmpty && state.records.isEmpty)
    }

    @Test func `never takes a revocation back, nor forgets a key with its peer`() throws {
        let store = try Store.open(path: path)
        try store.commit([
            .putPeer(peer(1)), .putKey(PinnedKeyRow(pin: pin(1), node: node(1), state: .revoked)),
        ])
        try store.commit([
            .removePeer(node(1)), .putKey(PinnedKeyRow(pin: pin(1), node: node(2), state: .pinned)),
        ])
        #expect(try store.load().keys == [PinnedKeyRow(pin: pin(1), node: node(1), state: .revoked)])
    }

    @Test func `keeps nothing of a turn when one of its changes contradicts what is there`() throws {
        let store = try Store.open(path: path)
        try store.commit([.putPeer(peer(1, name: "same"))])
        let before = try store.load()
        #expect {
            try store.commit([.putSetting(SettingRow(key: "a", value: "b")), .putPeer(peer(2, name: "same"))])
        } throws: { error in
            guard case StoreError.contradiction = error else { return false }
            return true
        }
        #expect {
            try store.commit([
                .putSetting(SettingRow(key: "a", value: "b")),
                .putRecord(RecordRow(owner: node(9), audience: "none", key: "k", body: [])),
            ])
        } throws: { error in
            guard case StoreError.contradiction = error else { return false }
            return true
        }
        #expect(try store.load() == before)
    }

    @Test func `leaves nothing of a transaction that its process never committed`() throws {
        let store = try Store.open(path: path)
        try store.commit([.putSetting(SettingRow(key: "kept", value: "1"))])
        // As at kill -9: the file and its log are copied while a transaction is open, and opened elsewhere.
        try store.pool.writeWithoutTransaction { database in
            try database.inTransaction {
                try StoreChange.putSetting(SettingRow(key: "lost", value: "1")).apply(to: database)
                try FileManager.default.copyItem(atPath: path, toPath: path + "-copy")
                try FileManager.default.copyItem(atPath: path + "-wal", toPath: path + "-copy-wal")
                return .rollback
            }
        }
        #expect(try Store.open(path: path + "-copy").load().settings.map(\.key) == ["kept"])
    }

    @Test func `writes so that a commit survives the loss of power, and only its owner may read`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.pool.writeWithoutTransaction { database in
            let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode")
            let foreignKeys = try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
            #expect(synchronous == 2 && mode == "wal" && foreignKeys == 1)
        }
        for name in ["comity.db", "comity.db-wal", "comity.db-shm"] { #expect(home.mode(of: name) == 0o600) }
    }

    @Test func `forgets idempotency keys whose time is over, in batches`() throws {
        let store = try Store.open(path: path)
        try store.commit(
            (0..<25).map { number in
                .putIdempotency(
                    IdempotencyRow(
                        caller: node(1), key: "\(number)", requestDigest: digest(1), state: .finished,
                        outcome: [1],
                        expires: wall(number)))
            })
        #expect(try store.removeIdempotency(expiredAt: wall(19), batch: 7) == 20)
        #expect(try store.load().idempotency.count == 5)
    }
}
