import MeshBase
import Testing

@testable import MeshControl

@Suite struct CapabilityDeclarationTests {
    @Test(arguments: [
        ("list=GET /list", ["GET"], "/list", Safety.safe),
        ("put=PUT,GET /a/b", ["PUT", "GET"], "/a/b", .idempotent),
        ("make=POST /", ["POST"], "/", .unsafe), ("ask=POST /ask safe", ["POST"], "/ask", .safe),
    ])
    func `methods decide the safety unless it is said`(
        text: String, methods: [String], path: String, safety: Safety
    ) throws {
        let capability = try CapabilityDeclaration.parse(text)
        #expect(capability.methods == methods)
        #expect(capability.path == path)
        #expect(capability.safety == safety)
    }

    @Test(arguments: [
        "", "list", "list=", "list=GET", "=GET /", "List=GET /", "list=get /", "list=GET,GET /",
        "list=GET, /", "list=GET list",
        "list=GET /../x", "list=GET //x", "list=GET /x/", "list=GET /%2f", "list=GET /x?y",
        "list=GET / never",
        "list=GET / safe more", "list=GET /\u{202e}x",
    ])
    func `a declaration that could be read in two ways is refused`(text: String) {
        #expect(throws: ControlFailure.self) { try CapabilityDeclaration.parse(text) }
    }

    @Test func `what is accepted names a capability that a peer would accept`() {
        var generator = SeededGenerator(seed: 11)
        let pieces = [
            "list", "=", "GET", ",", "POST", " ", "/", "a", "..", "%", "safe", "\0", "é", "=", "//", "put",
        ]
        for _ in 0..<20_000 {
            let count = Int(generator.number(below: 9))
            let text = (0..<count).map { _ in pieces[Int(generator.number(below: UInt64(pieces.count)))] }
                .joined()
            do throws(ControlFailure) {
                let capability = try CapabilityDeclaration.parse(text)
                #expect(capability.path.hasPrefix("/") && !capability.path.contains(".."))
                #expect(
                    !capability.methods.isEmpty && Set(capability.methods).count == capability.methods.count)
            } catch {
                #expect(error.exitCode == 2)
            }
        }
    }

    @Test func `a resource that declares nothing can be read and written`() {
        #expect(CapabilityDeclaration.usual.map(\.name.description) == ["read", "write"])
        #expect(CapabilityDeclaration.usual.map(\.safety) == [.safe, .unsafe])
    }
}
