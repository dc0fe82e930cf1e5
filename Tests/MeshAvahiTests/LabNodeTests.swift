import Foundation
import MeshBase
import Testing

@testable import MeshAvahi

/// Not a test of its own: the program that `Lab` runs inside a node.
@Suite("The witness inside a lab's node")
struct LabNodeTests {
    static var port: String? { ProcessInfo.processInfo.environment[LabNode.portVariable] }

    @Test(
        "prints what it sees until its input ends",
        .enabled(
            if: Self.port != nil, "runs only inside a node of a lab, started by the tests on a small LAN"))
    func run() throws {
        var announcement = Self.port.flatMap { UInt16($0) }.map {
            AvahiAnnouncement(port: $0, txt: Self.record())
        }
        announcement?.instance = ProcessInfo.processInfo.environment[LabNode.instanceVariable]
        let renewal = ProcessInfo.processInfo.environment[LabNode.renewalVariable].flatMap { Int($0) }
        let witness = try AvahiWitness(
            announcing: announcement, renewal: .seconds(try #require(renewal))
        ) { event in
            FileHandle.standardOutput.write(Data((LabNode.mark + Self.line(event) + "\n").utf8))
        }
        while let order = readLine() { witness.update(txt: TXTRecord([.init("t", order)])) }
        witness.close()
    }

    private static func record() -> TXTRecord {
        TXTRecord([
            .init("v", "1"), .init("t", ProcessInfo.processInfo.environment[LabNode.txtVariable] ?? ""),
        ])
    }

    private static func line(_ event: AvahiEvent) -> String {
        guard case .sighted(let sighting) = event else { return "\(event)" }
        let txt = sighting.txt.pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let owner = sighting.isOwn ? "own" : "foreign"
        return "sighted \(sighting.service) at \(sighting.endpoint) txt \(txt) \(owner)"
    }
}
