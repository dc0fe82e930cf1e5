import Foundation
import GRDB
import MeshAudit
import MeshBase
import Testing

@testable import MeshStore

@Suite struct StoreFailureTests {
    let home: TemporaryFolder
    var path: String { home.path + "/comity.db" }

    init() throws { home = try TemporaryFolder() }

    @Test func `says that the disk is full, keeps what was there, and goes on when there is room`() throws {
        var options = Store.Options()
        options.pageLimit = 80
        let store = try Store.open(path: path, options: options)
        try store.commit(oneOfEach)
        let before = try store.load()
        let large = (0..<100).map { number in
            StoreChange.putSetting(SettingRow(key: "\(number)", value: String(repeating: "x", count: 10_000)))
        }
        #expect(throws: StoreError.full(path: path)) { try store.commit(large) }
        #expect(try store.load() == before)
        try store.commit([.putSetting(SettingRow(key: "small", value: "1"))])
        #expect(try store.load().settings.count == 2)
    }

    @Test func `says that another program holds the file`() throws {
        var options = Store.Options()
        options.busySeconds = 0.05
        let store = try Store.open(path: path, options: options)
        let other = try DatabaseQueue(path: path)
        try other.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: StoreError.locked(path: path)) { try store.commit(oneOfEach) }
            try database.execute(sql: "ROLLBACK")
        }
        try store.commit(oneOfEach)
    }

    @Test func `refuses the file of a later version, names both, and leaves it as it is`() throws {
        let later = StoreSchema.current.version + 1
        let store = try Store.open(path: path)
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = \(later)") }
        try store.close()
        let before = try home.bytes(of: "comity.db")
        let expected = StoreError.newerSchema(
            path: path, found: later, supported: StoreSchema.current.version)
        #expect(throws: expected) { try Store.open(path: path) }
        #expect(
            expected.description.contains("\(later)")
                && expected.description.contains("\(StoreSchema.current.version)"))
        #expect(try home.bytes(of: "comity.db") == before)
    }

    @Test func `migrates an older file forward and keeps a private copy of it`() throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        let before = try store.load()
        try store.close()
        var options = Store.Options()
        options.schema = StoreSchema(
            steps: StoreSchema.current.steps + [
                "CREATE TABLE later (x TEXT); INSERT INTO later VALUES ('new')"
            ])
        let migrated = try Store.open(path: path, options: options)
        #expect(try migrated.load() == before)
        let version = try migrated.pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(version == StoreSchema.current.version + 1)
        try migrated.close()

        let copy = ".v\(StoreSchema.current.version)"
        #expect(home.mode(of: "comity.db" + copy) == 0o600)
        #expect(try Store.open(path: path + copy).load() == before)
        // A second opening migrates nothing and copies nothing.
        try FileManager.default.removeItem(atPath: path + copy)
        _ = try Store.open(path: path, options: options)
        #expect(!FileManager.default.fileExists(atPath: path + copy))
    }

    @Test func `has room for house agreements in a file that had none`() throws {
        var options = Store.Options()
        options.schema = StoreSchema(steps: Array(StoreSchema.current.steps.prefix(2)))
        let old = try Store.open(path: path, options: options)
        let resource = StoreChange.putResource(
            ResourceRow(name: orders, resource: ordersResource, offeredTo: []))
        try old.commit([resource])
        try old.close()
        let store = try Store.open(path: path)
        #expect(try store.load().resources.map(\.name) == [orders] && store.load().houses.isEmpty)
        try store.commit(oneOfEach)
        let again = HouseRow(
            domain: DomainID(digest(5)), version: 4, anchor: [1], document: [2], updated: wall(7))
        try store.commit([.putHouse(again)])
        #expect(try store.load().houses == [again])
    }

    @Test func `leaves an older file as it was when a step of its migration fails`() throws {
        try Store.open(path: path).close()
        var options = Store.Options()
        options.schema = StoreSchema(
            steps: StoreSchema.current.steps + ["CREATE TABLE later (x); SELECT nonsense"])
        #expect(throws: StoreError.self) { try Store.open(path: path, options: options) }
        #expect(try Store.open(path: path).load() == StoredState())
    }

    @Test func `says that a file is no store`() throws {
        try home.write(Array(String(repeating: "not a database at all ", count: 100).utf8), to: "comity.db")
        #expect {
            try Store.open(path: path)
        } throws: { error in
            guard case StoreError.corrupt = error else { return false }
            return true
        }
    }

    @Test(arguments: [
        ("via", "'no json', NULL"), ("choice", "'[]', 'no json'"), ("choice", "'[]', '{}'"),
        ("choice", #"'[]', '{"order":"spread","preferences":[],"preferred":"nobody"}'"#),
        (
            "choice",
            #"'[]', '{"order":"spread","preferences":["#
                + Array(repeating: #"{"factor":"2","label":{"key":"a","value":"b"}}"#, count: 9)
                .joined(separator: ",") + "]}'"
        ),
    ]) func `names table and column of a row that this program did not write`(
        column: String, values: String
    ) throws {
        let store = try Store.open(path: path)
        try store.pool.write { database in
            try database.execute(
                sql: "INSERT INTO routes (resource, via, choice) VALUES ('orders', \(values))")
        }
        #expect {
            try store.load()
        } throws: { error in
            guard case StoreError.corrupt(_, let detail) = error else { return false }
            return detail.contains(column) && detail.contains("routes")
        }
    }

    @Test func `keeps the routes of a store that knew of no preferences`() throws {
        var options = Store.Options()
        options.schema = StoreSchema(steps: Array(StoreSchema.current.steps.prefix(10)))
        let old = try Store.open(path: path, options: options)
        let via = #"["\#(node(2)):3","\#(node(1))"]"#
        try old.pool.write { database in
            try database.execute(
                sql: "INSERT INTO routes (resource, via) VALUES ('orders', ?)", arguments: [via])
        }
        try old.close()
        let store = try Store.open(path: path)
        let plain = RouteRow(resource: orders, via: [.init(node: node(2), weight: 3), .init(node: node(1))])
        #expect(try store.load().routes == [plain])
        var preferring = plain
        preferring.choice.order = .spread
        try store.commit([.putRoute(preferring)])
        #expect(try store.load().routes == [preferring])
        try store.commit([.putRoute(plain)])
        #expect(try store.load().routes == [plain])
    }

    @Test(arguments: [
        ("heads", "epoch = 'many'"), ("invites", "expires = x'00'"), ("peers", "boot_random = 5"),
        ("peers", "trusted_since = 'long ago'"), ("records", "body = 3"),
        ("peers", "pin = x'00'"), ("peers", "name = '-'"), ("resources", "document = 7"),
        ("domain_papers", "kind = 'note'"), ("domain_papers", "domain = 'd'"),
        ("house_agreements", "domain = 'd'"), ("house_agreements", "version = 'v'"),
    ]) func `says that a column holds what this program never wrote`(table: String, change: String) throws {
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.pool.write { try $0.execute(sql: "UPDATE \(table) SET \(change)") }
        let journal = try Journal.open(folder: home.path + "/journal")
        defer { journal.close() }
        #expect {
            _ = try store.load()
            _ = try AuditIndex(store: store, journal: journal).entries(AuditQuery())
        } throws: { error in
            guard case StoreError.corrupt = error else { return false }
            return true
        }
    }

    @Test func `names the path of a folder that is not there`() {
        let missing = home.path + "/nowhere/comity.db"
        #expect {
            try Store.open(path: missing)
        } throws: { error in
            guard case StoreError.unavailable(missing, _) = error else { return false }
            return true
        }
    }

    @Test func `opens any file that was tampered with, or says what is wrong with it`() throws {
        var generator = SeededGenerator(seed: 3)
        let store = try Store.open(path: path)
        try store.commit(oneOfEach)
        try store.close()
        let whole = try home.bytes(of: "comity.db")
        for number in 0..<40 {
            var bytes = whole
            for _ in 0..<20 {
                bytes[Int(generator.number(below: UInt64(bytes.count)))] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
            try home.write(bytes, to: "\(number).db")
            do throws(StoreError) {
                let store = try Store.open(path: home.path + "/\(number).db")
                _ = try store.load()
                try store.commit([.putSetting(SettingRow(key: "a", value: "b"))])
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
