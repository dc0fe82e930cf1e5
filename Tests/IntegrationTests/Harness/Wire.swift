import Foundation
import MeshBase

/// One side of a TCP connection, byte by byte: blocking, for threads that may wait.
final class Wire: Sendable {
    private let descriptor: Int32

    /// Takes over a connected socket; gives up after `patience` without a byte.
    init(_ descriptor: Int32, patience: Int = 20) {
        self.descriptor = descriptor
        var time = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects to a port of this machine.
    convenience init(port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw NeverHappened(description: "no connection to port \(port)") }
        self.init(descriptor)
    }

    deinit { close(descriptor) }

    // MARK: Out

    /// Sends all of it; false when the other side takes no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Sends text.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends so many bytes; false when the other side takes no more. `count` is told of each piece.
    @discardableResult
    func send(zeros: Int, _ count: (Int) -> Void = { _ in }) -> Bool {
        let piece = [UInt8](repeating: 0, count: 1 << 16)
        var left = zeros
        while left > 0 {
            let next = min(left, piece.count)
            guard send(next == piece.count ? piece : Array(piece[..<next])) else { return false }
            count(next)
            left -= next
        }
        return true
    }

    /// Sends one chunk.
    func send(chunk: [UInt8]) {
        send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10])
    }

    /// Sends the last chunk; each trailer ends its line.
    func sendLast(trailers: String = "") { send("0\r\n\(trailers)\r\n") }

    // MARK: In

    /// Some bytes; empty at the end, after a reset, and when patience is over.
    func receive(max: Int = 1 << 16) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            count = Swift.max(0, recv(descriptor, buffer.baseAddress, max, 0))
        }
    }

    /// Until `text` has come.
    func receive(until text: String) -> String {
        var all: [UInt8] = []
        let wanted = Array(text.utf8)
        while !all.suffix(wanted.count).elementsEqual(wanted), case let bytes = receive(max: 1),
            !bytes.isEmpty
        {
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// The head of a message: its first line, and its fields with names in lower case; nil at the end.
    func head() -> (line: String, fields: [String: String])? {
        let lines = receive(until: "\r\n\r\n").split(separator: "\r\n", omittingEmptySubsequences: true)
        guard let first = lines.first else { return nil }
        return (String(first), Self.fields(lines.dropFirst()))
    }

    /// Reads a body framed as `fields` say, telling each piece; answers what followed it.
    func body(_ fields: [String: String], _ take: (ArraySlice<UInt8>) -> Void) -> [String: String] {
        if fields["transfer-encoding"] == "chunked" {
            while case let line = receive(until: "\r\n"),
                let size = Int(line.prefix { $0.isHexDigit }, radix: 16)
            {
                guard size > 0 else { break }
                guard read(size, take) else { return [:] }
                _ = receive(until: "\r\n")
            }
            var trailers: [Substring] = []
            while case let line = receive(until: "\r\n"), line.utf8.count > 2 {
                trailers.append(line.dropLast(1)[...])
            }
            return Self.fields(trailers[...])
        }
        _ = read(fields["content-length"].flatMap { Int($0) } ?? 0, take)
        return [:]
    }

    private func read(_ size: Int, _ take: (ArraySlice<UInt8>) -> Void) -> Bool {
        var left = size
        while left > 0 {
            let bytes = receive(max: min(left, 1 << 18))
            guard !bytes.isEmpty else { return false }
            take(bytes[...])
            left -= bytes.count
        }
        return true
    }

    private static func fields(_ lines: ArraySlice<Substring>) -> [String: String] {
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return fields
    }
}

/// A request whose body is sent by hand.
struct HandmadeRequest: Sendable {
    let head: String

    static func get(_ path: String) -> HandmadeRequest {
        HandmadeRequest(head: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// - Parameter declared: bytes of the body; nil: in chunks.
    static func put(_ path: String, declared: Int?, method: String = "PUT") -> HandmadeRequest {
        let framing = declared.map { "Content-Length: \($0)" } ?? "Transfer-Encoding: chunked"
        return HandmadeRequest(head: "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(framing)\r\n\r\n")
    }
}

/// An answer of which only the beginning is kept.
struct LongAnswer: Sendable {
    let status: Int
    let headers: [String: String]
    let length: Int
    /// The first KiB.
    let body: String
    var correlation: CorrelationID? { headers["comity-correlation-id"].flatMap { CorrelationID($0) } }
}

extension Wire {
    /// Reads a whole answer.
    func answer() -> LongAnswer {
        guard let (line, fields) = head() else {
            return LongAnswer(status: 0, headers: [:], length: 0, body: "")
        }
        var (length, kept) = (0, [UInt8]())
        _ = body(fields) { piece in
            length += piece.count
            if kept.count < 1_024 { kept += piece.prefix(1_024 - kept.count) }
        }
        let status = Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
        return LongAnswer(
            status: status, headers: fields, length: length, body: String(decoding: kept, as: UTF8.self))
    }
}

extension RunningAgent {
    /// An application on this agent's machine makes `request` and goes on by hand, on a thread of its own.
    func stream<Result: Sendable>(
        _ request: HandmadeRequest, _ goOn: @escaping @Sendable (Wire) -> Result
    ) async throws -> Result {
        let wire = try Wire(port: gateway.port)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                wire.send(request.head)
                continuation.resume(returning: goOn(wire))
            }
        }
    }
}
