import MeshBase
import NIOCore
import NIOHPACK

@testable import MeshGateway

/// HTTP/2 written by hand on a raw socket, so that it may also be wrong.
final class GRPCDialogue {
    /// A frame that came.
    struct Frame: Equatable {
        let type: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]

        var isLast: Bool { flags & 1 != 0 }
        /// The code of a reset, or of go-away.
        var code: UInt32? {
            let bytes = payload.dropFirst(type == 7 ? 4 : 0).prefix(4)
            return bytes.count == 4 ? bytes.reduce(0) { $0 << 8 | UInt32($1) } : nil
        }
    }

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let push: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
    static let enhanceYourCalm: UInt32 = 11

    private let socket: RawSocket
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private var said: [UInt8] = []
    private var gathered: [UInt8]?

    /// Of an application: says the preface and its settings.
    init(to socket: RawSocket) {
        self.socket = socket
        socket.send(ConnectionPreface.bytes)
        send(Self.settings, 0, 0, [])
    }

    /// Of a server: reads the preface, and says these settings.
    init(asServer socket: RawSocket, settings: [UInt8] = []) {
        self.socket = socket
        while said.count < ConnectionPreface.bytes.count, case let bytes = socket.receive(), !bytes.isEmpty {
            said += bytes
        }
        said.removeFirst(min(said.count, ConnectionPreface.bytes.count))
        send(Self.settings, 0, 0, settings)
    }

    /// The head of a call of `/s.S/M` at the resource `o` of B.
    static func head(to authority: String = "o.B.mesh") -> HPACKHeaders {
        [
            ":method": "POST", ":scheme": "http", ":path": "/s.S/M", ":authority": authority,
            "te": "trailers",
            "content-type": "application/grpc",
        ]
    }

    func send(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) {
        let length = payload.count
        let lengths = [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
        let frame = lengths + [type, flags] + Self.bytes(stream) + payload
        if gathered == nil { socket.send(frame) } else { gathered? += frame }
    }

    /// Sends what `say` says in one piece.
    func together(_ say: (GRPCDialogue) -> Void) {
        gathered = []
        say(self)
        let all = gathered ?? []
        gathered = nil
        socket.send(all)
    }

    static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> (24 - 8 * $0) & 255) } }

    /// Fields, none of them indexed: at most 126 bytes a name, and at most 16 KiB a value.
    static func block(_ fields: HPACKHeaders) -> [UInt8] {
        fields.flatMap { name, value, _ -> [UInt8] in
            var length: [UInt8] = [UInt8(min(127, value.utf8.count))]
            if value.utf8.count >= 127 {
                var left = value.utf8.count - 127
                while left >= 128 {
                    length.append(UInt8(left & 127) | 128)
                    left >>= 7
                }
                length.append(UInt8(left))
            }
            return [0, UInt8(name.utf8.count)] + Array(name.utf8) + length + Array(value.utf8)
        }
    }

    /// A head, or trailers.
    func head(_ stream: UInt32, _ fields: HPACKHeaders = head(), end: Bool = false) {
        send(Self.headers, end ? 5 : 4, stream, Self.block(fields))
    }

    func data(_ stream: UInt32, _ text: String, end: Bool = false) {
        send(Self.data, end ? 1 : 0, stream, Array(text.utf8))
    }

    func reset(_ stream: UInt32, _ code: UInt32) { send(Self.reset, 0, stream, Self.bytes(code)) }

    /// The next frame; nil at the end of file and when patience is over. Settings and pings are answered.
    func frame() -> Frame? {
        while true {
            while said.count < 9 || said.count < 9 + length {
                let bytes = socket.receive()
                guard !bytes.isEmpty else { return nil }
                said += bytes
            }
            let stream = said[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            let frame = Frame(
                type: said[3], flags: said[4], stream: stream, payload: Array(said[9..<9 + length]))
            said.removeFirst(9 + length)
            if frame.type == Self.settings {
                if frame.flags == 0 { send(Self.settings, 1, 0, []) }
            } else if frame.type == Self.ping, frame.flags == 0 {
                send(Self.ping, 1, 0, frame.payload)
            } else {
                return frame
            }
        }
    }

    private var length: Int { Int(said[0]) << 16 | Int(said[1]) << 8 | Int(said[2]) }

    /// Reads until the other end closes.
    func rest() { while frame() != nil {} }

    /// The next frame of this type.
    func frame(_ type: UInt8) -> Frame? {
        while let frame = frame() { if frame.type == type { return frame } }
        return nil
    }

    /// The fields of the next head or trailers. Each block is read once, in order.
    func fields() -> (fields: HPACKHeaders, isLast: Bool)? {
        guard let frame = frame(Self.headers) else { return nil }
        var block = ByteBuffer(bytes: frame.payload)
        guard let fields = try? decoder.decodeHeaders(from: &block) else { return nil }
        return (fields, frame.isLast)
    }
}
