import MeshBase
import Testing

@testable import MeshRouting

@Suite("A tool's name and its path")
struct ToolPathTests {
    @Test("are the same but for the slash", arguments: ["a", "get_user", "Files/read-1.2", "x.y", "_"])
    func paths(name: String) {
        #expect(ToolCall.path(of: name) == "/" + name)
        #expect(ToolCall.name(at: "/" + name) == name)
    }

    @Test(
        "are none for what two readers could read differently",
        arguments: ["", "/", "a/", "/a", "a//b", ".", "..", "a/..", "a b", "%41", "a?b", "é", "a\n"])
    func none(name: String) {
        #expect(ToolCall.path(of: name) == nil)
        #expect(ToolCall.name(at: "/" + name) == nil)
    }

    @Test("a capability that calls tools lists them at the root, safely, and nowhere else")
    func listing() {
        let all = Capability(name: ResourceName("all")!, methods: ["TOOL"], path: "/", safety: .unsafe)
        func use(_ method: String, _ path: String, _ spoken: ResourceProtocol = .mcp) -> Capability? {
            let tools = ResourceDescription(
                name: ResourceName("tools")!, protocol: spoken, capabilities: [all], labels: [])
            return CapabilityMatcher.use(of: all, method: method, path: path, of: tools)
        }
        #expect(use("TOOL", "/a") == all)
        #expect(use("TOOLS", "/")?.safety == .safe && use("TOOLS", "/")?.name == all.name)
        #expect(use("TOOLS", "/a") == nil && use("TOOLS", "/", .http) == nil && use("GET", "/") == nil)
    }

    @Test("a name has a hundred and twenty-eight bytes, and not one more")
    func long() {
        let name = String(repeating: "x", count: ToolCall.nameMax)
        #expect(ToolCall.path(of: name) != nil && ToolCall.path(of: name + "x") == nil)
    }
}
