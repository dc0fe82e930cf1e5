import Foundation
import FuzzTargets
import Testing

/// The quick part of fuzzing, in every run of the tests. The slow part is `Scripts/fuzz`.
@Suite("Readers of foreign bytes")
struct KeptInputTests {
    /// `COMITY_FUZZ_ROUNDS` and `COMITY_FUZZ_SEED`: more of it, where libFuzzer is not at hand.
    private static let rounds = number("COMITY_FUZZ_ROUNDS") ?? 3_000
    private static let seed = number("COMITY_FUZZ_SEED") ?? 20_261_127

    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    @Test("take what our own encoders write", arguments: FuzzTargets.all.map(\.name))
    func samples(name: String) throws {
        let target = try target(name)
        let samples = try target.samples()
        #expect(!samples.isEmpty)
        for bytes in samples {
            #expect(
                try target.read(bytes) == .taken, "\(name) refuses \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("hold their properties on every kept input", arguments: FuzzTargets.all.map(\.name))
    func kept(name: String) throws {
        let target = try target(name)
        for entry in try FuzzCorpus.kept(of: target).entries { try hold(target, entry.bytes) }
    }

    @Test("hold them on damage by chance", arguments: FuzzTargets.all.map(\.name))
    func damage(name: String) throws {
        let target = try target(name)
        let samples = try target.samples()
        let inputs = try samples + FuzzCorpus.kept(of: target).entries.map(\.bytes)
        var damage = Damage(seed: UInt64(Self.seed))
        for round in 0..<Self.rounds {
            // Kept inputs are many and mostly refused: what is taken lies nearer to what our encoders write.
            let source = round % 2 == 0 ? samples : inputs
            let bytes =
                round % 8 == 7
                ? damage.bytes(damage.below(100))
                : damage.damaged(source[damage.below(source.count)], with: inputs[damage.below(inputs.count)])
            try hold(target, bytes)
        }
    }

    private func hold(_ target: FuzzTarget, _ bytes: [UInt8]) throws {
        do {
            _ = try target.read(bytes)
        } catch {
            Issue.record(
                "\(target.name) broke on \(FuzzCorpus.line(.init(reason: "broke", bytes: bytes))): \(error)")
        }
    }

    private func target(_ name: String) throws -> FuzzTarget {
        try #require(FuzzTargets.all.first { $0.name == name })
    }
}
