import Foundation
import MeshAgreements
import MeshBase
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Whoever is trusted by two that agree", .serialized, .timeLimit(.minutes(2)))
struct ThirdPartyTests {
    @Test("hears from neither a byte about their agreements, not even that there is one")
    func nothing() async throws {
        try await Market.with { market in
            let carol = try Persona("carol")
            let ears = try Attacker(carol.credentials)
            for agent in [market.alice, market.bob] {
                try await carol.join(agent)
                _ = try await carol.link(to: agent, through: ears)
            }
            // What may be heard: both greet, and each offers Carol its echo.
            try await until("Carol hears both") { ears.heard.count >= 6 }

            // The whole life of an agreement of the other two, with calls, a next version and its end.
            try await market.alice.offer(
                "private", ["list"], to: market.bob,
                under: AgreementConditions(
                    access: .readOnly, principals: [.local, try #require(Principal("night-shift"))]))
            for _ in 0..<3 {
                #expect(try await market.bob.application.invoke("alice/private/list").code == nil)
            }
            let records = await market.bob.plane.node.agreements.records
            for record in records where record.peer == market.alice.node && record.origin != .builtIn {
                let order = RevocationOrder(
                    contentID: record.contentID, orderedBy: .local, reason: "no-more-flour")
                try await market.bob.order(.revoke(order))
            }
            try await until("both have ended them") {
                await market.alice.plane.node.agreements.records.contains {
                    guard case .ended(.revoked(_, isHeard: _)) = $0.state else { return false }
                    return true
                }
            }
            // Links live on, and say what they have to say.
            try await Task.sleep(for: .seconds(4))
            #expect(await market.alice.link(with: carol.node) != nil)
            #expect(await market.bob.link(with: carol.node) != nil)

            var secrets = ["private", "orders", "night-shift", "no-more-flour", "read_only"]
            for record in records where record.peer == market.alice.node {
                secrets += [
                    record.agreement.id.description, record.contentID.description,
                    base64(record.contentID.bytes),
                ]
            }
            #expect(records.count >= 3)
            let heard = ears.heard
            // She does hear what is hers: the agreement on echo that names her, inside of its payload.
            #expect(heard.contains { contains($0, Array(carol.node.description.utf8)) })
            for secret in secrets {
                let found = heard.filter { contains($0, Array(secret.utf8)) }
                #expect(found.isEmpty, "\(secret) in \(found.map { String(decoding: $0, as: UTF8.self) })")
            }
            for (speaker, other) in [(market.alice, market.bob), (market.bob, market.alice)] {
                // Both names and ids stand in what their owner says of itself; nobody names the other.
                let both = heard.filter {
                    contains($0, Array(speaker.node.description.utf8))
                        && contains($0, Array(other.node.description.utf8))
                }
                #expect(both.isEmpty)
            }
            await ears.end()
        }
    }

    private func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Whether `part` stands in `bytes`, as it is or inside of a payload that is written in base64url.
    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        if Data(bytes).range(of: Data(part)) != nil { return true }
        // A payload's text begins at any of three places of a group of base64.
        let text = String(decoding: bytes, as: UTF8.self)
        return text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
            .filter { $0.count > 40 }
            .contains { word in
                let plain = String(word).replacing("-", with: "+").replacing("_", with: "/")
                let padded = plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)
                return Data(base64Encoded: padded).map { $0.range(of: Data(part)) != nil } ?? false
            }
    }
}
