import MeshBase
import MeshWire

/// JSON as it is written here: bytes that are put together, of parts that were read before.
enum JSONLine {
    /// `text` with its quotes (RFC 8259 section 7); what a terminal could obey is escaped too.
    static func quoted(_ text: String) -> String {
        var line: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): line += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f: line += Array("\\u00\(Hexadecimal.encode([byte]))".utf8)
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
        return String(decoding: line, as: UTF8.self)
    }

    /// A message: `{"jsonrpc":"2.0"` and these members.
    static func message(_ members: [(name: String, json: [UInt8])]) -> [UInt8] {
        var line = Array(#"{"jsonrpc":"2.0""#.utf8)
        for (name, json) in members {
            line += Array(",\"\(name)\":".utf8)
            line += json
        }
        line.append(UInt8(ascii: "}"))
        return line
    }

    /// JSON that was read, on one line: between values a line's end is as good as a space, and within a text
    /// there is none.
    static func onOneLine(_ json: some Sequence<UInt8>) -> [UInt8] {
        json.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
    }
}

/// Parts of an object that was read before; nil where they are not there.
enum JSONPart {
    /// The value of a member.
    static func member(_ name: String, of object: [UInt8]) -> ForeignJSON? {
        do throws(ForeignJSONError) { return try ForeignJSON(object)[name] } catch { return nil }
    }

    /// The bytes of that value, as they came.
    static func bytes(_ name: String, of object: [UInt8]) -> [UInt8]? {
        do throws(ForeignJSONError) {
            return try ForeignJSON.members(of: object)[name].map { Array(object[$0]) }
        } catch {
            return nil
        }
    }
}
