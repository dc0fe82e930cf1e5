import Foundation
import MeshBase
import Testing

@testable import MeshControl

@Suite struct TimestampTests {
    @Test func `a date is written for machines in UTC`() throws {
        let encoded = try JSONEncoder().encode([Timestamp(WallTime(milliseconds: 1_795_255_200_123))])
        #expect(String(decoding: encoded, as: UTF8.self) == #"["2026-11-21T10:00:00.123Z"]"#)
    }

    @Test func `every date from year 0 to 9999 is read back as it was`() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let milliseconds = Int64(generator.number(below: 315_569_519_999_999)) - 62_167_219_200_000
            let stamp = Timestamp(WallTime(milliseconds: milliseconds))
            #expect(
                try JSONDecoder().decode([Timestamp].self, from: try JSONEncoder().encode([stamp])) == [stamp]
            )
        }
    }

    @Test(arguments: [
        "", "2026-11-21T10:00:00Z", "2026-13-21T10:00:00.000Z", "2026-02-30T10:00:00.000Z",
        "2026-11-21T24:00:00.000Z",
        "2026-11-21 10:00:00.000Z", "2026-11-21T10:00:00.000+", "+026-11-21T10:00:00.000Z",
        "2026-11-21T10:00:00.000z",
    ])
    func `anything but that one form is refused`(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Timestamp].self, from: try JSONEncoder().encode([text]))
        }
    }
}
