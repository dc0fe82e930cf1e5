import Foundation
import MeshBase

/// Which texts may stand in a document (protocol section 10), the same for who writes and who reads:
/// - normalised (NFC), without control and bidirectional characters;
/// - at most `limit` bytes of UTF-8, unless it is made of the 64 characters of base64url alone: a long text
///   is data, never something that a person is shown or that could hide a sentence.
///
/// NFC is the only thing for which this module asks Foundation; visible ASCII, which always is NFC, does not
/// get that far.
enum TextRules {
    /// What is wrong with `text`; nil when nothing is.
    static func flaw(of text: String, limit: Int) -> TextFlaw? {
        if text.utf8.count > limit {
            return text.utf8.allSatisfy(isBase64URL) ? nil : .tooLong
        }
        if text.isVisibleASCII { return nil }
        guard text.isPlain else { return .notPlain }
        return normalised(text).utf8.elementsEqual(text.utf8) ? nil : .notNormalised
    }

    /// `text` in normalisation form C.
    static func normalised(_ text: String) -> String { text.precomposedStringWithCanonicalMapping }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
