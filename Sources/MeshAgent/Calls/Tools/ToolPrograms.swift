import MeshBase
import MeshMCP
import MeshRouting
import NIOCore

/// The programs that the configuration names (`mcp.servers`), and how often each may be started. Nothing that
/// is started comes from anywhere else. Confined to the plane's event loop.
final class ToolPrograms {
    /// Starts of one program for one node, whatever principals it names, within `startTime`.
    static let startsMax = 16
    private static let startTime = TimeAmount.minutes(1)

    private struct Key: Hashable {
        let name: ResourceName
        /// Nil: this node's own applications.
        let caller: NodeID?
    }

    private let commands: OrderedTable<ResourceName, [String]>
    private var starts: [Key: [NIODeadline]] = [:]
    /// Those that run, and those that are ending.
    private(set) var running = 0

    init(_ commands: OrderedTable<ResourceName, [String]>) { self.commands = commands }

    /// Starts a program; whoever has it closes its files and ends it.
    func start(
        _ name: ResourceName, for caller: NodeID?, on loop: any EventLoop
    ) throws(ToolFailure) -> ServerProcess {
        guard let command = commands[name] else {
            throw .unreachable("config.yaml names no program \(name) under mcp.servers")
        }
        let (key, now) = (Key(name: name, caller: caller), NIODeadline.now())
        let recent = starts[key, default: []].filter { now - $0 < Self.startTime }
        guard recent.count < Self.startsMax else {
            throw .unreachable("\(name) was started \(recent.count) times within a minute")
        }
        starts = starts.filter { entry in entry.value.contains { now - $0 < Self.startTime } }
        starts[key] = recent + [now]
        do throws(ServerProcessError) {
            let process = try ServerProcess.start(command, on: loop) { [weak self] in self?.running -= 1 }
            running += 1
            return process
        } catch {
            throw .unreachable("\(command[0]): \(error)")
        }
    }
}
