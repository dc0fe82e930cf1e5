import Foundation
import MeshBase
import MeshTrust
import Testing

/// An agent under attack, and what must still hold of it afterwards.
struct Victim {
    let agent: RunningAgent
    private let admittedBefore: Int

    init(_ agent: RunningAgent) {
        self.agent = agent
        admittedBefore = agent.transport.counts.admitted
    }

    /// The attacker was told nothing but that it was refused; the operator finds why under the reference;
    /// nothing was admitted.
    func refused(
        _ denial: Denial, because code: RefusalCode, saying told: RefusalCode = .handshakeRefused,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(denial.code == told, sourceLocation: sourceLocation)
        #expect(denial.facts.isEmpty, sourceLocation: sourceLocation)
        let refusal = try await agent.refusal(under: denial.reference)
        #expect(refusal?.code == code, sourceLocation: sourceLocation)
        stayedShut(sourceLocation: sourceLocation)
    }

    /// Nobody was admitted since the attack began.
    func stayedShut(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(agent.transport.counts.admitted == admittedBefore, sourceLocation: sourceLocation)
    }
}
