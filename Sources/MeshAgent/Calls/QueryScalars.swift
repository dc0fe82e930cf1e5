import MeshWire
import NIOCore

/// A JSON object's top-level scalars as a query, for `/invoke` of a capability whose method carries no body
/// (protocol section 8).
enum QueryScalars {
    /// More than this is no query.
    private static let bodyMax = 8 * 1024

    /// `a=1&b=two`, percent-encoded, by rising name; nil when the body is no JSON object or holds no scalars.
    static func query(of body: ByteBuffer) -> String? {
        guard (2...bodyMax).contains(body.readableBytes),
            let values = Document.scalars(of: Array(body.readableBytesView)), !values.isEmpty
        else { return nil }
        return values.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// RFC 3986 section 2.3: what is unreserved stays.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
