import Foundation
import MeshBase
import MeshControl
import Testing

/// Two of five behind a cut, while both sides change what they offer to all.
@Suite(
    "Five nodes of which two are cut off", .serialized,
    .enabled(if: LanDomain.isPossible, LanDomain.why))
struct PartitionTests {
    @Test("are linked again within 20 s, and see one catalog within 60 s", .timeLimit(.minutes(4)))
    func short() async throws { try await cut(for: .seconds(15)) }

    @Test(
        "likewise after two minutes", .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(8)))
    func twoMinutes() async throws { try await cut(for: .seconds(120)) }

    private func cut(for time: Duration) async throws {
        try await LanDomain.with(hosts: 5) { domain in
            let members = try (1...5).map { try domain.boot($0) }
            try await members.allLinked(within: .seconds(60))
            let (many, few) = (Array(members[..<3]), Array(members[3...]))
            try await offer("bread", at: members[1])
            try await same(members, where: { $0.contains("two/bread") }, within: .seconds(30))

            try await domain.lab.run("partition", "1,2,3", "4,5")
            try await until("each side has noticed", within: .seconds(15)) {
                for member in members {
                    let others = many.contains { $0.name == member.name } ? few : many
                    for other in others {
                        let peers = await member.process.status()?.peers ?? []
                        let link = peers.first { $0.name?.description == other.name }?.link
                        if link != .down { return false }
                    }
                }
                return true
            }
            for side in [many, few] { try await side.allLinked(within: .seconds(1)) }
            try await Task.sleep(for: time / 2)
            try await offer("apples", at: members[0])
            try await offer("pears", at: members[4])
            try await Task.sleep(for: time / 2)
            #expect(try await catalog(of: members[0]) != catalog(of: members[4]))

            try await domain.lab.run("heal")
            let healed = ContinuousClock.now
            let linked = try await members.allLinked(within: .seconds(60))
            let all: (Set<String>) -> Bool = {
                $0.isSuperset(of: ["one/apples", "two/bread", "five/pears"])
            }
            try await same(members, where: all, within: .seconds(90))
            let equal = ContinuousClock.now - healed
            print(
                String(
                    format:
                        "two of five cut off for %.0f s: links after %.1f s, catalogs equal after %.1f s",
                    time.inSeconds, linked.inSeconds, equal.inSeconds))
            #expect(linked < .seconds(20))
            #expect(equal < .seconds(60))
            try await members.allCallable(within: .seconds(10))
        }
    }

    private func offer(_ resource: String, at member: LanDomain.Member) async throws {
        let done = try await Command.comity(
            "resource", "add", resource, "--url", "http://127.0.0.1:9", "--offer-to", "domain", "--home",
            member.process.home)
        #expect(done.status == 0, "\(done.errors)")
    }

    /// What `comity find` shows, as `node/resource`.
    private func catalog(of member: LanDomain.Member) async throws -> Set<String> {
        let found = try await Command.comity("find", "--json", "--home", member.process.home)
        let report = try JSONDecoder().decode(CatalogReport.self, from: Data(found.output.utf8))
        return Set(
            report.entries.map { "\($0.provider.title)/\($0.description.name)" })
    }

    /// Waits until all see the same, and that it is as it must be.
    private func same(
        _ members: [LanDomain.Member], where isRight: (Set<String>) -> Bool, within patience: Duration
    ) async throws {
        var seen: [Set<String>] = []
        do {
            try await until("all see one catalog", within: patience) {
                seen = []
                for member in members { seen.append(try await catalog(of: member)) }
                return seen.allSatisfy { $0 == seen[0] && isRight($0) }
            }
        } catch {
            throw NeverHappened(description: "\(error): \(seen)")
        }
    }
}
