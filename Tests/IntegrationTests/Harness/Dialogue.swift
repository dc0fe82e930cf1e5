import Foundation
import Synchronization

/// A command that runs while a test reads what it says and answers it, over pipes or at a terminal.
final class Dialogue: Sendable {
    private let process: Mutex<Process>
    private let said = Mutex("")
    private let openReaders = Mutex(2)
    private let hand: FileHandle

    /// - Parameter terminal: whether standard input and error are a terminal's, as for a person.
    init(_ command: [String], terminal: Bool = false) throws {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        var environment = ProcessInfo.processInfo.environment
        environment["TERM"] = "xterm"
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        var readers = [output.fileHandleForReading]
        var slaveEnd: Int32?
        if terminal {
            var (master, slave): (Int32, Int32) = (0, 0)
            guard openpty(&master, &slave, nil, nil, nil) == 0 else {
                throw NeverHappened(description: "no terminal can be made")
            }
            slaveEnd = slave
            process.standardInput = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
            process.standardError = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
            hand = FileHandle(fileDescriptor: master, closeOnDealloc: false)
            readers.append(hand)
        } else {
            let (input, errors) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardError = errors
            hand = input.fileHandleForWriting
            readers.append(errors.fileHandleForReading)
        }
        try process.run()
        self.process = Mutex(process)
        // The child has it; ours would keep the terminal open when the child has ended.
        if let slaveEnd { close(slaveEnd) }
        for reader in readers {
            Thread.detachNewThread { [weak self] in
                defer { self?.openReaders.withLock { $0 -= 1 } }
                var chunk = [UInt8](repeating: 0, count: 4_096)
                while true {
                    let count = read(reader.fileDescriptor, &chunk, chunk.count)
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { return }
                    let text = String(decoding: chunk.prefix(count), as: UTF8.self)
                    self?.said.withLock { $0 += text }
                }
            }
        }
    }

    /// All that it said so far, on both ways out.
    var text: String { said.withLock { $0 } }

    /// Types, without waiting for anything.
    func type(_ text: String) { hand.write(Data(text.utf8)) }

    /// Waits until it has said something.
    func says(_ part: String, within patience: Duration = .seconds(20)) async throws {
        do {
            try await until("it says \(part)", within: patience) { text.contains(part) }
        } catch {
            throw NeverHappened(description: "\(error), only: \(text.suffix(800))")
        }
    }

    /// Waits for its end and until all that it said was read; with what it ended.
    func ends(within patience: Duration = .seconds(30)) async throws -> Int32 {
        do {
            try await until("it ends", within: patience) {
                process.withLock { !$0.isRunning } && openReaders.withLock { $0 == 0 }
            }
        } catch {
            throw NeverHappened(description: "\(error); it said: \(text.suffix(800))")
        }
        return process.withLock { $0.terminationStatus }
    }

    /// The four words that it shows; nil before it does.
    var words: String? {
        // A terminal ends lines with two characters, which Swift counts as one of their own.
        let lines = String(decoding: text.utf8.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        let plain = lines.replacing(/\u{1b}\[[0-9;]*[A-Za-z]/, with: "")
        let found = plain.firstMatch(of: /\n      ([a-z]+ [a-z]+ [a-z]+ [a-z]+)\r?\n/)
        return found.map { String($0.1) }
    }

    /// Waits for the four words.
    func showsWords(within patience: Duration = .seconds(30)) async throws -> String {
        do {
            try await until("words are shown", within: patience) { words != nil }
        } catch {
            throw NeverHappened(description: "\(error), only: \(text.suffix(800))")
        }
        return words ?? ""
    }

    /// Ends it in whatever way, at the end of a test.
    func end() {
        process.withLock { process in
            if process.isRunning { process.terminate() }
        }
    }
}
