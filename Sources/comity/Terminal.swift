import ArgumentParser
import FoundationEssentials
import Glibc
import MeshBase
import MeshControl

/// What goes to the person and what goes to the next program: facts on standard output, everything else on
/// standard error.
enum Terminal {
    static func out(_ text: String) { put(text, on: STDOUT_FILENO) }
    static func note(_ text: String) { put(text, on: STDERR_FILENO) }

    /// How a report looks on standard output, for commands of `home`.
    static func output(_ home: HomeOption) -> Presentation { presentation(on: STDOUT_FILENO, home.shown) }
    /// How a report looks on standard output, where commands must name the home as `shown`.
    static func output(home shown: String?) -> Presentation { presentation(on: STDOUT_FILENO, shown) }
    /// How a text looks on standard error, for commands of `home`.
    static func notes(_ home: HomeOption) -> Presentation { presentation(on: STDERR_FILENO, home.shown) }

    /// Prints why nothing was done, and ends with its exit code.
    static func fail(_ failure: ControlFailure) -> Never {
        if CommandLine.arguments.contains("--json") {
            do throws(ControlFailure) {
                note(try ControlCoding.document(failure) + "\n")
            } catch {
                note(failure.message + "\n")
            }
        } else {
            note(
                ReasonText.render(
                    failure, presentation(on: STDERR_FILENO, HomeOption.named(in: CommandLine.arguments))))
        }
        exit(failure.exitCode)
    }

    /// Asks on standard error, reads one line; only `y` and `yes` are yes.
    static func confirm(_ question: String) -> Bool {
        note("\(question) [y/N] ")
        let answer = readLine(strippingNewline: true)
        // Only a keyboard echoes the end of the line.
        if !isAttended { note("\n") }
        return ["y", "yes"].contains(answer?.lowercased() ?? "")
    }

    /// Whether somebody watches standard error.
    static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether somebody sits at standard input.
    static var isAttended: Bool { isatty(STDIN_FILENO) == 1 }

    /// At most `limit` bytes of standard input, or of another open file, as text.
    static func input(limit: Int, from descriptor: Int32 = STDIN_FILENO) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
            guard bytes.count <= limit else {
                throw ValidationError("the input is longer than \(limit) bytes")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The wall clock.
    static var now: WallTime { WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }

    private static func presentation(on descriptor: Int32, _ home: String?) -> Presentation {
        let noColour = !(ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        var presentation = Presentation.of(descriptor: descriptor, noColour: noColour, now: now)
        presentation.home = home
        return presentation
    }

    private static func put(_ text: String, on descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
