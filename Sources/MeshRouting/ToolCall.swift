import MeshBase

/// A tool of an MCP server as a call: what capabilities, agreements, invocations and the audit name it by
/// (decision 0036).
///
/// MCP (Model Context Protocol) is spoken at both ends only, between an agent and the server or client on its
/// machine. In between, calling a tool is a call of the method `TOOL` at `/NAME`, whose body is the arguments
/// and whose answer's body is the result; asking which there are is one of the method `TOOLS` at `/`.
public enum ToolCall {
    /// Calls one tool.
    public static let method = "TOOL"
    /// Asks which tools the caller may call. No capability declares it: whoever may call some tool may ask.
    public static let listing = "TOOLS"
    /// Where that is asked.
    public static let listingPath = "/"
    /// Bytes of a tool's name, as MCP's naming rule has it.
    public static let nameMax = 128

    /// The path of the tool of this name; nil for a name that MCP's rule forbids (letters, digits, `_`, `-`,
    /// `.`, `/`), or that is no path in its normal form: such a tool is not called through the mesh.
    public static func path(of name: String) -> String? {
        guard (1...nameMax).contains(name.utf8.count), name.utf8.allSatisfy(isAllowed),
            !name.utf8.reversed().starts(with: "/".utf8)
        else { return nil }
        let path = "/" + name
        return RequestPath.normalised(path) == .allowed(path) ? path : nil
    }

    /// The name of the tool at this path; nil where there can be none.
    public static func name(at path: String) -> String? {
        let name = String(path.dropFirst())
        return self.path(of: name) == path ? name : nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): true
        default: false
        }
    }
}
