import MeshBase
import MeshControl

/// The code book's next command with its words in capitals filled in, as far as they are known.
enum Remedy {
    /// What the words in capitals stand for.
    struct Terms: Sendable, Equatable {
        var peer: String?
        var resource: String?
        var agreement: String?
        var correlation: String?
        var reference: String?

        init(
            peer: String? = nil, resource: String? = nil, agreement: String? = nil,
            correlation: String? = nil,
            reference: String? = nil
        ) {
            self.peer = peer
            self.resource = resource
            self.agreement = agreement
            self.correlation = correlation
            self.reference = reference
        }
    }

    /// The one command that would change what `code` says; nil when there is none.
    static func command(after code: RefusalCode, _ terms: Terms = Terms()) -> String? {
        guard let command = CodeBook.entry(for: code).next else { return nil }
        return command.split(separator: " ", omittingEmptySubsequences: false)
            .map { word in word.split(separator: "/").map { filled(String($0), terms) }.joined(separator: "/")
            }
            .joined(separator: " ")
    }

    private static func filled(_ word: String, _ terms: Terms) -> String {
        switch word {
        case "PEER": terms.peer ?? word
        case "RESOURCE": terms.resource ?? word
        case "ID": terms.agreement ?? word
        case "CORRELATION-ID": terms.correlation ?? word
        case "REFERENCE": terms.reference ?? word
        default: word
        }
    }
}
