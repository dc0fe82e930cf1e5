import MeshBase
import MeshNode

@testable import MeshPolicy

/// Decisions, as a policy engine or who stands in its place writes them.
extension FuzzTargets {
    static let policy = [
        FuzzTarget(
            "policy-answer", longest: 4_096,
            samples: {
                [
                    #"{"decision_id":"d1","result":true}"#, #"{"result":{"allow":true,"score":0.5}}"#,
                    #"{"decision_id":"d2","result":{"allow":false,"reasons":["after hours","\u00e9\/"]}}"#,
                ].map { Array($0.utf8) }
            },
            read: { bytes in
                switch PolicyAnswer.read(bytes) {
                case .failed: return .refused
                case .allowed(let decision): try holdPlain([decision].compactMap { $0 })
                case .denied(let decision, let reasons):
                    try hold(reasons.count <= 8, "more reasons than are kept")
                    try holdPlain(reasons + [decision].compactMap { $0 })
                }
                return .taken
            })
    ]

    private static func holdPlain(_ texts: [String]) throws {
        for text in texts {
            try hold(text.utf8.count <= 256, "a text beyond its bound")
            try hold(text.isPlain, "a text that a screen could be led astray by")
        }
    }
}
