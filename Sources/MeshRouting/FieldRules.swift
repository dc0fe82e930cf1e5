import MeshBase

/// Which header fields concern one connection only, which are Comity's own, and what a field is made of (RFC
/// 9110 sections 5 and 7.6.1). Each head is held to this several times on its way, so most names are told
/// apart by their length alone.
///
/// Names are in lower case throughout.
public enum FieldRules {
    /// Whether `name` concerns one connection only, whether or not `Connection` names it.
    public static func isHopByHop(_ name: String) -> Bool {
        switch name.utf8.count {
        case 2: name == "te"
        case 7: name == "trailer" || name == "upgrade"
        case 10: name == "connection" || name == "keep-alive"
        case 14: name == "http2-settings"
        case 16: name == "proxy-connection"
        case 17: name == "transfer-encoding"
        case 18: name == "proxy-authenticate"
        case 19: name == "proxy-authorization"
        default: false
        }
    }

    /// Whether `name` is one of those with which Comity speaks for itself: whoever else sends it would speak
    /// in its name.
    public static func isReserved(_ name: String) -> Bool {
        // `content-type` and its like differ in the third byte.
        var start = name.utf8.makeIterator()
        guard start.next() == UInt8(ascii: "c"), start.next() == UInt8(ascii: "o"),
            start.next() == UInt8(ascii: "m")
        else { return false }
        return name == "comity" || name.utf8.starts(with: prefix)
    }

    /// Whether `text` is a token (RFC 9110 section 5.6.2).
    public static func isToken(_ text: String) -> Bool {
        !text.isEmpty && tokens.holds(text)
    }

    /// Whether `text` may stand behind a field's name: no control character but a tab, so that it cannot end
    /// its line.
    public static func isValue(_ text: String) -> Bool {
        text.isVisibleASCII || values.holds(text)
    }

    private static let prefix = Array("comity-".utf8)
    private static let values = ByteSet { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
    private static let tokens = ByteSet { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
