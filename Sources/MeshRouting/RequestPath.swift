import MeshBase

/// Reads the path of a request beneath a resource, and refuses every spelling that two readers could read
/// differently.
///
/// Refused: what does not begin with `/` (absolute forms included), empty segments but the last, `.` and
/// `..` in any spelling (also before `;`), encoded or plain backslashes, encoded slashes, control
/// characters and NUL, broken or doubled escapes, bytes that are no UTF-8. The normal form decodes
/// unreserved characters and writes escapes in upper case (RFC 3986 section 6.2.2). A path without escapes
/// is its own normal form and costs no allocation.
public enum RequestPath {
    /// Bytes of a path.
    public static let lengthMax = 8 * 1024

    /// The normal form of `path`.
    public static func normalised(_ path: String) -> Ruling<String> {
        guard path.utf8.count <= lengthMax else { return refused(path, "longer than \(lengthMax) bytes") }
        guard path.utf8.first == slash else { return refused(path, "does not begin with /") }
        if path.utf8.count == 1 { return .allowed(path) }
        if unescaped.holds(path) {
            let isSound =
                path.utf8.withContiguousStorageIfAvailable { hasSoundSegments($0) }
                ?? hasSoundSegments(path.utf8)
            return isSound ? .allowed(path) : refused(path, "holds an empty segment, . or ..")
        }
        guard path.utf8.contains(UInt8(ascii: "%")) else {
            return refused(path, "holds a character that no path holds")
        }
        return decoded(path)
    }

    /// What a path without escapes is made of.
    private static let unescaped = ByteSet { isPlain($0) && $0 != UInt8(ascii: "%") }

    private static func decoded(_ path: String) -> Ruling<String> {
        var written: [UInt8] = []
        var meant: [UInt8] = []
        written.reserveCapacity(path.utf8.count)
        var rest = path.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                guard isPlain(byte) else { return refused(path, "holds a character that no path holds") }
                written.append(byte)
                meant.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else {
                return refused(path, "holds a broken escape")
            }
            let value = high << 4 | low
            guard value >= 0x20, value != 0x7f, value != slash, value != UInt8(ascii: "\\") else {
                return refused(path, "escapes a slash, a backslash or a control character")
            }
            meant.append(value)
            if isUnreserved(value) {
                written.append(value)
            } else {
                written += [UInt8(ascii: "%"), upperDigit(high), upperDigit(low)]
            }
        }
        guard hasSoundSegments(written), hasSoundSegments(meant) else {
            return refused(path, "holds an empty segment, . or ..")
        }
        guard String(validating: meant, as: UTF8.self) != nil else { return refused(path, "is not UTF-8") }
        guard !holdsEscape(meant) else { return refused(path, "escapes an escape") }
        return .allowed(String(decoding: written, as: UTF8.self))
    }

    /// No segment is `.` or `..`, with or without parameters behind `;`; only the last may be empty.
    private static func hasSoundSegments(_ path: some Sequence<UInt8>) -> Bool {
        var dots = 0
        var length = 0
        var isDotted = true
        var position = 0
        for byte in path {
            defer { position += 1 }
            if byte == slash {
                guard position == 0 || (length > 0 && !(isDotted && (1...2).contains(dots))) else {
                    return false
                }
                (dots, length, isDotted) = (0, 0, true)
                continue
            }
            length += 1
            if byte == UInt8(ascii: ";") {
                guard !(isDotted && (1...2).contains(dots)) else { return false }
                isDotted = false
            } else if byte == UInt8(ascii: ".") {
                dots += 1
            } else {
                isDotted = false
            }
        }
        return !(length > 0 && isDotted && (1...2).contains(dots))
    }

    private static func holdsEscape(_ bytes: [UInt8]) -> Bool {
        bytes.indices.dropLast(2).contains { index in
            bytes[index] == UInt8(ascii: "%") && digit(bytes[index + 1]) != nil
                && digit(bytes[index + 2]) != nil
        }
    }

    private static let slash = UInt8(ascii: "/")

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "#"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "<"),
            UInt8(ascii: ">"), 0...0x20, 0x7f...:
            false
        default: true
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func upperDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func refused(_ path: String, _ reason: String) -> Ruling<String> {
        let shown = String(
            path.unicodeScalars.prefix(64).map { $0.isASCII && $0.value > 0x1f ? Character($0) : "?" })
        return .refused(Refusal(.pathRefused, [Fact("path", shown), Fact("because it", reason)]))
    }
}
