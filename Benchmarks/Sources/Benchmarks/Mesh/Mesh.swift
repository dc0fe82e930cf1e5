import Foundation
import MeshBase
import MeshNode
import MeshSimulator
import MeshWire

/// What members of one domain say when nothing happens, and how a change spreads, over the links of the overlay:
/// the machines that ship, their documents encoded as they travel.
func meshComparisons() -> [Comparison] {
    let asked = ProcessInfo.processInfo.environment["COMITY_MESH_MEMBERS"].flatMap { Int($0) }
    let largest = min(max(asked ?? 200, 101), 1_000)
    return [
        Comparison(
            area: "mesh", title: "an idle domain of 100 members; of \(largest) (COMITY_MESH_MEMBERS)",
            baseline: second(of: 100), others: [second(of: largest)],
            note: { try [100, largest].map(facts).joined(separator: "; ") })
    ]
}

private func second(of members: Int) -> Sample {
    Sample("a second of one of \(members)", portion: members) {
        var mesh = mesh(of: members)
        return { count in for _ in 0..<count { mesh.pass(.seconds(1)) } }
    }
}

private func mesh(of members: Int) -> GossipMesh<WireSuite, FrameScale> {
    var mesh = GossipMesh(members, seed: 7, .remote, suite: WireSuite(), scale: FrameScale())
    mesh.pass(.seconds(10))
    return mesh
}

private func facts(_ members: Int) throws -> String {
    var mesh = mesh(of: members)
    // The oldest heads are renewed from the first minute on.
    mesh.pass(.seconds(110))
    let talk = mesh.talk(for: .seconds(300))
    let kinds = mesh.kinds.map { "\($0.0) \($0.1 / members / 300)" }.joined(separator: ", ")
    mesh.change(members / 3)
    mesh.pass(.seconds(5))
    let spread = mesh.spread
    try require(spread.holders == members, "\(spread.holders) of \(members) hold the change")
    let each = Double(spread.messages * 10 / members) / 10
    return
        "\(members): \(talk.average) bytes/s a member in and out (most \(talk.most)), of these sent: \(kinds);"
        + " \(talk.links) links (most \(talk.linksMost)); a change: \(spread.hops) hops,"
        + " \(each) messages and \(spread.bytes / members) bytes a member, \(spread.took.wholeMilliseconds) ms"
}

/// The frames of documents.
private struct FrameScale: DocumentScale {
    func bytes(of document: LinkDocument) -> Int {
        do {
            return try Document.encode(document).count + FrameHeader.length
        } catch {
            preconditionFailure("\(document) is no document: \(error)")
        }
    }
}

/// Documents as they are in life, under the simulator's quick signatures, which are as long.
private struct WireSuite: SignatureSuite {
    private let simulated = SimulatedSuite()

    func digest(_ bytes: [UInt8]) -> Digest { simulated.digest(bytes) }

    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> Digest {
        simulated.authenticationCode(of: message, under: key)
    }

    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        simulated.isValid(signature, over: bytes, by: key)
    }

    func encoded(_ value: some Encodable & Sendable) -> [UInt8] {
        do {
            let limit = (type(of: value) as? any SignedBody.Type)?.textLimit ?? Limits.documentText
            return try Document.encode(value, textLimit: limit)
        } catch {
            preconditionFailure("\(type(of: value)) is no document: \(error)")
        }
    }
}
