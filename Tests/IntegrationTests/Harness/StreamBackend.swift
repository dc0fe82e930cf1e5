import Foundation
import Synchronization

/// An HTTP service on loopback whose bodies are long and whose manners are its own; a thread for each
/// connection.
///
///     /store      200 with how many bytes came, and how they were framed
///     /zeros/N    200 with N bytes
///     /echo       200, each piece of the body as it comes
///     /slowly/N   200, N events with a pause before each but the first, and a trailer
///     /deny       413 as soon as the head is read, and the connection ends
///     /talk       101 to whoever asks for a WebSocket: says back what it hears, until it hears "bye"
final class StreamBackend: Sendable {
    private let service: LoopbackService
    private let sent = Atomic(0)
    private let received = Atomic(0)
    private let open = Atomic(0)

    init() throws {
        service = try LoopbackService(backlog: 64)
        service.serve { [self] wire in
            open.add(1, ordering: .relaxed)
            while let (line, fields) = wire.head(), serve(line, fields, wire) {}
            open.subtract(1, ordering: .relaxed)
        }
    }

    var url: String { service.url }
    var bytesSent: Int { sent.load(ordering: .relaxed) }
    var bytesReceived: Int { received.load(ordering: .relaxed) }
    var openConnections: Int { open.load(ordering: .relaxed) }

    /// Takes no more connections.
    func stop() { service.stop() }

    /// One request; false when the connection is to end.
    private func serve(_ line: String, _ fields: [String: String], _ wire: Wire) -> Bool {
        let words = line.split(separator: " ")
        guard words.count == 3 else { return false }
        let parts = words[1].split(separator: "/")
        let number = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        switch parts.first {
        case "zeros":
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: \(number)\r\n\r\n")
            return wire.send(zeros: number) { sent.add($0, ordering: .relaxed) }
        case "echo":
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            _ = wire.body(fields) { wire.send(chunk: Array($0)) }
            wire.sendLast()
        case "slowly":
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for event in 0..<number {
                if event > 0 { usleep(1_000_000) }
                wire.send(chunk: Array("event \(event)\n".utf8))
            }
            wire.sendLast(trailers: "x-events: \(number)\r\n")
        case "talk":
            guard fields["upgrade"] == "websocket", fields["connection"] == "upgrade", words[0] == "GET"
            else {
                wire.send("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n")
                return true
            }
            wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Content-Length: 0\r\nSec-WebSocket-Accept: to \(fields["sec-websocket-key"] ?? "nobody")\r\n\r\nhello "
            )
            while case let bytes = wire.receive(), !bytes.isEmpty {
                received.add(bytes.count, ordering: .relaxed)
                wire.send(bytes)
                if String(decoding: bytes, as: UTF8.self).hasSuffix("bye") { break }
            }
            return false
        case "deny":
            wire.send("HTTP/1.1 413 Too Large\r\ncontent-length: 7\r\nconnection: close\r\n\r\nno more")
            return false
        default:
            var length = 0
            let trailers = wire.body(fields) { piece in
                length += piece.count
                received.add(piece.count, ordering: .relaxed)
            }
            let framing = fields["content-length"] == nil ? "in chunks" : "declared"
            let rest = trailers.map { ", \($0.key)=\($0.value)" }.joined()
            let said = "\(length) \(framing)\(rest)"
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: \(said.utf8.count)\r\n\r\n\(said)")
        }
        return true
    }
}
