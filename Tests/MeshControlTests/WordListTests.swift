import MeshBase
import Testing

@testable import MeshControl

@Suite struct WordListTests {
    @Test func `there is one word for each byte and no word twice`() {
        #expect(WordList.words.count == 256)
        #expect(Set(WordList.words).count == 256)
    }

    @Test func `the first four letters name a word`() {
        #expect(Set(WordList.words.map { $0.prefix(4) }).count == 256)
    }

    @Test func `words are three to seven lower-case letters`() {
        for word in WordList.words {
            #expect((3...7).contains(word.count), "\(word)")
            #expect(word.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }, "\(word)")
        }
    }

    @Test func `two wrong letters never make another word`() {
        for (position, word) in WordList.words.enumerated() {
            for other in WordList.words.dropFirst(position + 1) {
                #expect(distance(Array(word.utf8), Array(other.utf8)) > 2, "\(word) \(other)")
            }
        }
    }

    @Test func `bytes become their words in order`() {
        #expect(WordList.words(for: [0, 255, 0]) == ["acorn", "zodiac", "acorn"])
        #expect(WordList.fingerprint(of: .zero).count == 8)
    }

    @Test func `typed words become their bytes, and what is no word none`() {
        #expect(WordList.bytes(of: ["Acorn", "zodiac"]) == [0, 255])
        #expect(WordList.bytes(of: ["acorn", "acron"]) == nil)
    }

    /// Levenshtein's distance.
    private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (above, letter) in left.enumerated() {
            var next = [above + 1]
            for (column, other) in right.enumerated() {
                next.append(
                    min(row[column + 1] + 1, next[column] + 1, row[column] + (letter == other ? 0 : 1)))
            }
            row = next
        }
        return row[right.count]
    }
}
