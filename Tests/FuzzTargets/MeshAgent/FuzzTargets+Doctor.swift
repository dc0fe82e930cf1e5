@testable import MeshAgent

/// What comes back when the doctor asks by multicast.
extension FuzzTargets {
    static let doctor = [
        FuzzTarget(
            "multicast-answer", longest: 512,
            samples: { [[0xbe, 0xef, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3]] },
            read: { bytes in
                let question = MulticastQuestion(id: 0xbeef)
                guard question.isAnswered(by: bytes) else { return .refused }
                try hold(
                    bytes.starts(with: [0xbe, 0xef]) && bytes.count >= 12, "it answers another question")
                try hold(bytes != question.bytes, "the question is its own answer")
                return .taken
            })
    ]
}
