import CSpawn
import Foundation
import NIOCore

/// A program that the operator has this agent run (`mcp.servers`), with its standard input and output.
///
/// It has nothing of the agent's: no variable of the environment, no open file but those two and `/dev/null`
/// for what it says beside, no signal that is blocked or ignored, and an empty folder of its own to stand in.
/// It leads a session, so that whatever it starts is ended with it.
///
///     running --end()--> ending: its input is closed by then, and it is asked to go (SIGTERM)
///     ending --it went, or a second passed--> gone: all that it started is killed, its folder removed
///
/// Confined to one event loop.
final class ServerProcess {
    /// How long it has from being asked to go until it is killed.
    static let farewell = TimeAmount.seconds(1)
    private static let lookInterval = TimeAmount.milliseconds(20)

    /// What it hears, to be written to; whoever has the process closes it.
    let input: Int32
    /// What it says, to be read; likewise.
    let output: Int32
    /// Leads its session and its group, so its number stays its own until it is waited for.
    private let pid: pid_t
    private let folder: String
    private let loop: any EventLoop
    private let gone: () -> Void
    private var killAt: NIODeadline?

    private init(
        _ pid: pid_t, in folder: String, hearing input: Int32, saying output: Int32, on loop: any EventLoop,
        gone: @escaping () -> Void
    ) {
        self.pid = pid
        self.folder = folder
        self.input = input
        self.output = output
        self.loop = loop
        self.gone = gone
    }

    /// Starts one.
    /// - Parameters:
    ///   - command: an absolute path, and arguments.
    ///   - gone: called once, when it and its folder are gone.
    /// - Throws: why there is none; nothing is left of it then.
    static func start(
        _ command: [String], on loop: any EventLoop, gone: @escaping () -> Void
    ) throws(ServerProcessError) -> ServerProcess {
        let folder = try folder()
        var files: [Int32] = []
        do throws(ServerProcessError) {
            let (heard, input) = try pipe()
            files += [heard, input]
            let (output, said) = try pipe()
            files += [output, said]
            let pid = try spawn(command, in: folder, hearing: heard, saying: said)
            close(heard)
            close(said)
            return ServerProcess(pid, in: folder, hearing: input, saying: output, on: loop, gone: gone)
        } catch {
            for file in files { close(file) }
            rmdir(folder)
            throw error
        }
    }

    /// Nobody took its files.
    func closeFiles() {
        close(input)
        close(output)
    }

    /// Has it go.
    func end() {
        guard killAt == nil else { return }
        killAt = .now() + Self.farewell
        kill(-pid, SIGTERM)
        look()
    }

    private func look() {
        var found = siginfo_t()
        // It is left unreaped, and so its number is nobody else's, until all of its group is killed.
        let result = waitid(P_PID, id_t(pid), &found, WEXITED | WNOHANG | WNOWAIT)
        let hasEnded = result != 0 || found.si_signo != 0
        if hasEnded || killAt.map({ $0 <= .now() }) ?? false { kill(-pid, SIGKILL) }
        guard hasEnded else {
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(in: Self.lookInterval) { bound.value.look() }
            return
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        removeFolder()
        gone()
    }

    private func removeFolder() {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            // What its own process made unreadable stays; the next look of the system's cleaner has it.
            rmdir(folder)
        }
    }

    // MARK: Making it

    private static func folder() throws(ServerProcessError) -> String {
        var path = Array((FileManager.default.temporaryDirectory.path + "/comity-server-XXXXXX").utf8CString)
        guard mkdtemp(&path) != nil else {
            throw ServerProcessError(operation: "make a folder", errno: errno)
        }
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// One end to read and one to write, neither of them among the first three, nor inherited by anybody.
    private static func pipe() throws(ServerProcessError) -> (read: Int32, write: Int32) {
        var (read, write): (Int32, Int32) = (-1, -1)
        let result = comity_pipe(&read, &write)
        guard result == 0 else { throw ServerProcessError(operation: "make a pipe", errno: result) }
        guard read > 2, write > 2 else {
            close(read)
            close(write)
            throw ServerProcessError(operation: "make a pipe beside closed standard files", errno: EBADF)
        }
        return (read, write)
    }

    private static func spawn(
        _ command: [String], in folder: String, hearing heard: Int32, saying said: Int32
    ) throws(ServerProcessError) -> pid_t {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        arguments.append(nil)
        var pid: pid_t = 0
        let result = comity_spawn(arguments, folder, heard, said, &pid)
        guard result == 0 else { throw ServerProcessError(operation: "start it", errno: result) }
        return pid
    }
}

/// Why a program does not run.
struct ServerProcessError: Error, Equatable, CustomStringConvertible {
    /// What was being done.
    let operation: String
    let errno: Int32

    var description: String { "cannot \(operation): \(String(cString: strerror(errno)))" }
}
