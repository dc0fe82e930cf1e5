import MeshBase
import MeshGateway
import MeshMCP
import MeshRouting
import NIOPosix
import Testing

@testable import MeshAgent

@Suite("Sessions with MCP servers")
struct ToolServersTests {
    /// A session that is made, and rests until it is told otherwise.
    private final class Session: ToolServer {
        var isAtRest = true
        var isOver = false

        func order(
            _ order: ToolSession.Order, of fields: [HeaderField], within share: ToolShare,
            then: @escaping (ToolSession.Outcome) -> Void
        ) -> ToolSession.OrderID { 1 }
        func withdraw(_ id: ToolSession.OrderID) {}
        func end() { isOver = true }
    }

    private static func node(_ number: UInt8) -> NodeID {
        NodeID(Digest(Array(repeating: number, count: 32))!)
    }

    private final class Rig {
        let servers = ToolServers()
        var made: [Session] = []

        func session(
            _ node: UInt8?, _ principal: String, at url: String = "http://127.0.0.1:1/mcp"
        ) -> Session? {
            let caller = ToolCaller(
                node: node.map(ToolServersTests.node), principal: Principal(principal)!)
            return servers.server(at: ToolPlace("mcp+" + url)!, for: caller) {
                made.append(Session())
                return made[made.count - 1]
            } as? Session
        }
    }

    @Test("are one for each server, node and principal, and no other's")
    func separate() {
        let rig = Rig()
        let first = rig.session(1, "ann")
        #expect(first === rig.session(1, "ann"))
        for other in [
            rig.session(1, "bob"), rig.session(2, "ann"), rig.session(nil, "ann"),
            rig.session(1, "ann", at: "http://127.0.0.1:2/mcp"),
            rig.session(1, "ann", at: "http://127.0.0.1:1/"),
        ] {
            #expect(other != nil && first !== other)
        }
        #expect(rig.made.count == 6 && rig.made.allSatisfy { !$0.isOver })
    }

    @Test("are 32 for one node, which loses one of its own for another")
    func perNode() {
        let rig = Rig()
        let other = rig.session(2, "ann")
        let own = (0..<ToolServers.sessionsPerNode).map { rig.session(1, "p\($0)") }
        #expect(own.allSatisfy { $0?.isOver == false })
        #expect(rig.session(1, "one more") != nil)
        #expect(own[0]?.isOver == true && own[1]?.isOver == false && other?.isOver == false)
        for session in rig.made { session.isAtRest = false }
        #expect(rig.session(1, "and one more") == nil && rig.session(1, "p1") === own[1])
        #expect(rig.session(2, "bob") != nil)
    }

    @Test("are 256 in all, and beyond it the one longest at rest ends")
    func inAll() {
        let rig = Rig()
        let count = ToolServers.sessionsMax
        let all = (0..<count).map { rig.session(UInt8($0 / 16), "p\($0)") }
        #expect(all.allSatisfy { $0?.isOver == false })
        all[0]?.isAtRest = false
        #expect(rig.session(200, "x") != nil)
        #expect(all.map { $0?.isOver } == [false, true] + Array(repeating: false, count: count - 2))
        for session in rig.made { session.isAtRest = false }
        #expect(rig.session(201, "x") == nil)
        rig.servers.endAll()
        #expect(rig.made.allSatisfy { $0.isOver })
    }

    @Test("with programs are 32 in all and 8 for one node, and take no place of the others")
    func programs() {
        let rig = Rig()
        let other = rig.session(1, "ann")
        let own = (0..<ToolServers.programsPerNode).map { rig.session(1, "p\($0)", at: "stdio:x") }
        #expect(own.allSatisfy { $0?.isOver == false })
        #expect(rig.session(1, "one more", at: "stdio:y") != nil)
        #expect(own[0]?.isOver == true && own[1]?.isOver == false && other?.isOver == false)
        for number in ToolServers.programsPerNode..<ToolServers.programsMax {
            #expect(rig.session(UInt8(number), "p", at: "stdio:x") != nil)
        }
        #expect(own[1]?.isOver == false)
        #expect(rig.session(200, "p", at: "stdio:x") != nil)
        #expect(own[1]?.isOver == true && other?.isOver == false)
        for session in rig.made { session.isAtRest = false }
        #expect(rig.session(201, "p", at: "stdio:x") == nil && rig.session(201, "p") != nil)
    }

    @Test("a place is an address or the name of a program, and no command")
    func places() {
        #expect(ToolPlace("mcp+http://127.0.0.1:1/mcp") == .http(ResourceURL("http://127.0.0.1:1/mcp")!))
        #expect(ToolPlace("mcp+http://unix:/run/a.sock:/mcp") != nil)
        #expect(ToolPlace("mcp+stdio:files") == .program(ResourceName("files")!))
        for text in [
            "http://127.0.0.1:1", "mcp+", "mcp+stdio:", "mcp+stdio:/bin/sh", "mcp+stdio:a b", "mcp+stdio:A",
            "mcp+file:///bin/sh", "mcp+https://x:1", "stdio:files",
        ] {
            #expect(ToolPlace(text) == nil, "\(text)")
        }
    }

    @Test("with a program: it is started sixteen times in a minute for one node, and not once more")
    func starts() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let seen = try await loop.submit {
            var commands = OrderedTable<ResourceName, [String]>()
            commands[ResourceName("x")!] = ["/bin/true"]
            let programs = ToolPrograms(commands)
            func isStarted(_ name: String, for node: UInt8?) -> Bool {
                do throws(ToolFailure) {
                    let process = try programs.start(
                        ResourceName(name)!, for: node.map(Self.node), on: loop)
                    process.closeFiles()
                    process.end()
                    return true
                } catch {
                    return false
                }
            }
            let first = (0..<ToolPrograms.startsMax).map { _ in isStarted("x", for: 1) }
            return [
                first.allSatisfy { $0 }, isStarted("x", for: 1), isStarted("x", for: 2),
                isStarted("y", for: 2),
            ]
        }.get()
        #expect(seen == [true, false, true, false])
    }

    @Test("of one peer keep what there is room for, and take nothing from another's")
    func room() {
        let room = ToolRoom(mostOfPeer: 10, mostOfOwn: 20)
        let (a, b) = (Self.node(1), Self.node(2))
        let first = ToolShare(of: room, for: a)
        #expect(first.holds(arguments: 4) && first.holds(answer: 6))
        var second: ToolShare? = ToolShare(of: room, for: a)
        #expect(second?.holds(answer: 1) == false)
        #expect(ToolShare(of: room, for: b).holds(answer: 10))
        #expect(!ToolShare(of: room, for: nil).holds(answer: 21))
        #expect(ToolShare(of: room, for: nil).holds(answer: 20))
        #expect(first.holds(answer: 2) && second?.holds(answer: 4) == true && !first.holds(answer: 3))
        second = nil
        #expect(first.holds(answer: 6) && !first.holds(arguments: 5))
    }
}
