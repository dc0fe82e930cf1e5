import Foundation
import Testing

@Suite("House rules")
struct HouseRuleTests {
    @Test("a file has at most 350 lines, so that a machine is split before it is a monster")
    func filesAreShort() {
        for file in SourceTree.sources + SourceTree.tests {
            let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
            #expect(count <= 350, "\(file.path) has \(count) lines")
        }
    }

    @Test("a line has at most 110 columns, but for the bytes that a test writes down")
    func linesAreShort() {
        for file in SourceTree.sources {
            expectNone(file.lines.indices.filter { file.lines[$0].count > 110 }.map(file.place))
        }
        for file in SourceTree.tests {
            let long = file.lines.indices.filter { index in
                let isText = file.code[index].contains("\"\"") && file.code[index].count <= 110
                return file.lines[index].count > 110 && !isText
            }
            expectNone(long.map(file.place))
        }
    }

    @Test("no source drops an error, or stops the process without saying what it found")
    func errorsAreNotDropped() {
        for file in SourceTree.sources {
            expectNone(file.places(matching: /\btry[?!]|\bfatalError\b|\bpreconditionFailure\(\)/))
        }
    }

    @Test("no catch is empty")
    func catchesAreNotEmpty() {
        for file in SourceTree.sources {
            expectNone(file.places(matching: /\bcatch\b[^{]*\{\s*\}/))
        }
    }

    @Test("what is left to do has the number of its issue")
    func openEndsHaveAnIssue() {
        let mark = ["TO", "DO"].joined()
        for file in SourceTree.sources + SourceTree.tests {
            for index in file.lines.indices where file.lines[index].contains(mark) {
                #expect(file.lines[index].contains(/#\d+|issue \d+/), "\(file.place(index))")
            }
        }
    }

    @Test("a promise that the compiler cannot check has its reason, and a place in this list")
    func uncheckedPromisesHaveReasons() {
        let allowed = [
            "Sources/MeshAvahi/AvahiWitness.swift",  // libavahi's own thread owns the pointers
            "Sources/MeshAgent/Calls/PeerAttempt.swift",  // lives on one event loop
            "Sources/MeshAgent/Calls/PeerCall.swift",  // lives on one event loop
            "Sources/MeshAgent/Calls/Circuits/CircuitArrival.swift",  // lives on one event loop
            "Sources/MeshAgent/Calls/Circuits/RelayUse.swift",  // lives on one event loop
        ]
        for file in SourceTree.sources {
            for index in file.code.indices where file.code[index].contains("@unchecked Sendable") {
                #expect(allowed.contains(file.path), "\(file.place(index))")
                let before = file.lines[max(0, index - 6)...index]
                #expect(before.contains { $0.contains("//") }, "no reason stands above \(file.place(index))")
            }
            expectNone(file.places(matching: /nonisolated\(unsafe\)/))
        }
    }

    @Test("no type is named after what it does not say")
    func namesSaySomething() {
        for file in SourceTree.sources {
            expectNone(
                file.places(
                    matching: /\b(struct|class|enum|protocol|actor)\s+\w*(Manager|Helpers?|Util\w*)\b/))
        }
    }
}
