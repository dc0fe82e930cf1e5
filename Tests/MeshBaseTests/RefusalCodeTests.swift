import MeshBase
import Testing

@Suite("Refusal codes")
struct RefusalCodeTests {
    @Test("are words in lower case joined by hyphens, as answers and pages show them")
    func form() {
        for code in RefusalCode.allCases {
            let words = code.rawValue.split(separator: "-", omittingEmptySubsequences: false)
            let isWord = words.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x61...0x7a).contains($0) } }
            #expect(isWord, "\(code.rawValue)")
        }
    }
}
