import MeshBase
import Testing

@Suite("Seeded generator")
struct SeededGeneratorTests {
    @Test("gives one sequence for one seed, in every process")
    func isDeterministic() {
        var generator = SeededGenerator(seed: 42)
        let first = (0..<3).map { _ in generator.next() }
        var again = SeededGenerator(seed: 42)
        #expect(first == (0..<3).map { _ in again.next() })
        #expect(first[0] == 1_546_998_764_402_558_742)
    }
}
