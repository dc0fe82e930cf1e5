import MeshBase
import MeshSimulator

@testable import MeshGossip

/// Two sets that are compared, and how many symbols that took.
struct SymbolSession {
    var encoder: SymbolEncoder
    var decoder: SymbolDecoder
    /// What must come out.
    let truth: SymbolDecoder.Progress
    private(set) var symbols = 0

    static let salt = Octets(Array(1...12))

    static func key(_ salt: UInt8) -> SessionKey {
        SessionKey(
            salt: Octets([UInt8](repeating: salt, count: 12)), nonce: Self.salt,
            audience: .pair(Samples.alice.node, Samples.bob.node),
            nodes: NodePair(Samples.alice.node, Samples.bob.node), using: Samples.suite)
    }

    init(seed: UInt64, shared: Int, theirs: Int, mine: Int) {
        var chance = SeededGenerator(seed: seed)
        let key = Self.key(UInt8(truncatingIfNeeded: seed))
        func draw(_ count: Int) -> [SaltedID] { (0..<count).map { _ in SaltedID(chance.next()) } }
        let (both, one, other) = (draw(shared), draw(theirs), draw(mine))
        encoder = SymbolEncoder(both + one, key: key)!
        decoder = SymbolDecoder(SymbolEncoder(other + both.reversed(), key: key)!)
        truth = .complete(SetDifference(theirs: one.sorted(), mine: other.sorted()))
    }

    /// Asks and answers until it ends.
    /// - Parameter batchMax: no batch is longer, whatever was asked for.
    mutating func run(batchMax: Int = .max) -> SymbolDecoder.Progress {
        while case .wants(let range) = decoder.progress {
            let end = min(range.upperBound, range.lowerBound + min(batchMax, range.count))
            let batch = encoder.batch(range.lowerBound..<end, salt: Self.salt, nonce: Self.salt)
            symbols += batch.symbols.count
            _ = decoder.receive(batch)
        }
        return decoder.progress
    }
}
