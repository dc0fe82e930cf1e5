import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite("The configuration, fed with noise")
struct ConfigurationNoiseTests {
    private static let sample = """
        name: alpha
        listen: "[::]:7500"   # where
        advertise: [mesh.example.org:443]
        discovery:
          avahi: off
          static:
            - endpoint: peer.example:7410
              node: x
        gateway: { access: token, users: { 1000: 'alice' } }
        audit:
          bytes: 512 MiB

        """

    @Test("never traps on changed text, and a reading without problems can be shown and read again")
    func changedText() {
        var generator = SeededGenerator(seed: 7)
        let pieces = [
            "- ", ": ", "? ", "[", "]", "{", "}", "'", "\"", "#", "&a ", "*a", "|\n", ">\n", "\n", "  ", "\t",
            "---\n", "!x ", "%", "@", "\\", ",", "\u{feff}", "\u{2028}",
        ]
        for _ in 0..<3_000 {
            var text = Array(Self.sample.utf8)
            for _ in 0...generator.number(below: 4) {
                let place = Int(generator.number(below: UInt64(text.count)))
                switch generator.number(below: 4) {
                case 0: text[place] = UInt8(generator.number(below: 256))
                case 1: text.remove(at: place)
                case 2:
                    text.insert(
                        contentsOf: pieces[Int(generator.number(below: UInt64(pieces.count)))].utf8, at: place
                    )
                default:
                    text.removeSubrange(place..<min(text.count, place + Int(generator.number(below: 20))))
                }
                if text.isEmpty { text = [10] }
            }
            check(text)
        }
    }

    @Test("never traps on bytes by chance, in the file and in the environment")
    func chance() {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<2_000 {
            check(generator.bytes(Int(generator.number(below: 200))))
            let text = String(decoding: generator.bytes(Int(generator.number(below: 60))), as: UTF8.self)
            let environment = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.variable, text) })
            _ = ConfigurationReader.read(file: nil, environment: environment, hostName: sampleHost)
        }
    }

    private func check(_ bytes: [UInt8]) {
        let reading = ConfigurationReader.read(file: bytes, environment: [:], hostName: sampleHost)
        for problem in reading.problems { #expect(!problem.description.isEmpty) }
        guard reading.problems.isEmpty else { return }
        let environment = Dictionary(uniqueKeysWithValues: reading.values.map { ($0.variable, $0.text) })
        let again = ConfigurationReader.read(file: nil, environment: environment, hostName: sampleHost)
        #expect(again.configuration == reading.configuration)
    }
}
