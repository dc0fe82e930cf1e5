import MeshBase
import Testing

@Suite("Labels and fields")
struct LabelTests {
    @Test("no label is the beginning of another, so that no use of a hash passes for another")
    func labelsArePrefixFree() {
        for one in Label.allCases {
            for other in Label.allCases where one != other {
                #expect(!other.bytes.starts(with: one.bytes), "\(one) begins \(other)")
            }
            #expect(one.rawValue.hasPrefix("comity ") && one.rawValue.hasSuffix(";"))
            #expect(one.rawValue.utf8.allSatisfy { $0 < 0x80 })
        }
    }

    @Test("fields stand behind the label, each behind its length")
    func fieldsAreLengthPrefixed() {
        var fields = FieldSequence(.inviteName)
        fields.append([1, 2])
        fields.append("é")
        fields.append(Int64(-1))
        let tail: [UInt8] =
            [0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 0xc3, 0xa9, 0, 0, 0, 8] + [UInt8](repeating: 255, count: 8)
        #expect(fields.bytes == Label.inviteName.bytes + tail)
    }

    @Test("bytes that move from one field to the next make other bytes to sign")
    func fieldsDoNotRunTogether() {
        var one = FieldSequence(.transcript)
        one.append("ab")
        one.append("c")
        var other = FieldSequence(.transcript)
        other.append("a")
        other.append("bc")
        #expect(one.bytes != other.bytes)
    }
}
