import Foundation

/// A blocking socket that says exactly the bytes it is told to, and gives up after a few seconds.
final class RawSocket: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    convenience init(port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try Self.check(
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            })
        self.init(descriptor)
    }

    convenience init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try Self.check(
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            })
        self.init(descriptor)
    }

    deinit { close(descriptor) }

    private static func check(_ result: Int32) throws {
        if result != 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Some bytes; empty at the end of file, after a reset, and when patience is over.
    func receive(max: Int = 65_536) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : []
    }

    /// Everything until the other side closes.
    func receiveAll() -> String {
        var all: [UInt8] = []
        while case let bytes = receive(), !bytes.isEmpty { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// Until `text` has come.
    func receive(until text: String) -> String {
        var all: [UInt8] = []
        let wanted = Array(text.utf8)
        while !all.ends(with: wanted), case let bytes = receive(max: 1), !bytes.isEmpty { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// One answer with its body.
    func answer(toHead isHead: Bool = false) -> RawAnswer {
        let head = receive(until: "\r\n\r\n")
        let lines = head.components(separatedBy: "\r\n").filter { !$0.isEmpty }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        var body: [UInt8] = []
        if isHead {
        } else if let length = fields["content-length"].flatMap(Int.init) {
            while body.count < length, case let bytes = receive(max: length - body.count), !bytes.isEmpty {
                body += bytes
            }
        } else if fields["transfer-encoding"] == "chunked" {
            while case let line = receive(until: "\r\n"), let size = Int(line.dropLast(1), radix: 16) {
                let end = body.count + size
                while body.count < end, case let bytes = receive(max: end - body.count), !bytes.isEmpty {
                    body += bytes
                }
                if size == 0 {
                    while receive(until: "\r\n").count > 1 {}
                    break
                }
                _ = receive(until: "\r\n")
            }
        }
        return RawAnswer(
            status: lines.first.map { Int($0.split(separator: " ").dropFirst().first ?? "") ?? 0 } ?? 0,
            fields: fields,
            body: String(decoding: body, as: UTF8.self))
    }
}

extension Array where Element == UInt8 {
    func ends(with suffix: [UInt8]) -> Bool {
        count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
    }
}

struct RawAnswer: Equatable {
    let status: Int
    let fields: [String: String]
    let body: String
    /// The code of one of Comity's own refusals.
    var refusal: String? { fields["comity-refusal"] }
}
