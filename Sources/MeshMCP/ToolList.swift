import MeshBase
import MeshRouting
import MeshWire

/// The tools of a server, as its pages tell of them.
struct ToolList: Sendable, Equatable {
    /// What follows a page.
    enum Step: Equatable {
        /// Another page.
        case more
        /// Nothing: that was all.
        case complete
        /// Nothing: it is none, or too much; the text says which.
        case failed(String)
    }

    /// Tools in all, those that cannot be called through the mesh among them.
    static let toolsMax = 1_024
    /// Pages, and bytes of a cursor.
    static let (pagesMax, cursorMax) = (64, 1_024)
    /// Bytes of all that is kept: as much as the answer to a call.
    static let bytesMax = Limits.callBody - 1_024

    /// Those that can be called through the mesh; of two with one name the first.
    private(set) var tools: [ToolSession.Tool] = []
    private var seen = 0
    private var bytes = 0
    private var pages = 0
    private var cursor: String?

    /// What asks for the page that follows.
    var nextPage: [UInt8] {
        guard let cursor else { return Array("{}".utf8) }
        return Array(#"{"cursor":\#(JSONLine.quoted(cursor))}"#.utf8)
    }

    /// Takes the result that is a page.
    mutating func take(_ json: [UInt8]) -> Step {
        pages += 1
        let page: ForeignJSON
        var found: [[UInt8]] = []
        do throws(ForeignJSONError) {
            page = try ForeignJSON(json)
            guard let place = try ForeignJSON.members(of: json)["tools"] else { return .failed("no tools") }
            let array = Array(json[place])
            for element in try ForeignJSON.elements(of: array) { found.append(Array(array[element])) }
        } catch {
            return .failed("its tools are no array: \(error)")
        }
        guard case .array(let described)? = page["tools"] else { return .failed("its tools are no array") }
        seen += found.count
        guard seen <= Self.toolsMax else { return .failed("more than \(Self.toolsMax) tools") }
        for (tool, json) in zip(described, found) {
            guard case .object = tool, let name = tool.text("name") else {
                return .failed("a tool without a name")
            }
            guard let path = ToolCall.path(of: name), !tools.contains(where: { $0.path == path }) else {
                continue
            }
            bytes += json.count + 1
            guard bytes <= Self.bytesMax else { return .failed("more than \(Self.bytesMax) bytes of tools") }
            tools.append(ToolSession.Tool(path: path, json: json))
        }
        switch page["nextCursor"] {
        case nil, .null?: return .complete
        case .text(let next)?:
            guard pages < Self.pagesMax, next.utf8.count <= Self.cursorMax else {
                return .failed(
                    "more than \(Self.pagesMax) pages, or a cursor of more than \(Self.cursorMax) bytes")
            }
            cursor = next
            return .more
        default: return .failed("a cursor that is no text")
        }
    }
}
