import Glibc

/// One connection of HTTP/1.1 on this machine, as little of it as the measured calls need.
struct LoopbackHTTP {
    let descriptor: Int32
    private var unread: [UInt8] = []
    private var room = [UInt8](repeating: 0, count: 128 * 1024)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Connects to a port of 127.0.0.1.
    init(port: UInt16) throws {
        self.init(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        try require(descriptor >= 0, "no socket")
        let status = withAddress(port: port) { connect(descriptor, $0, $1) }
        try require(status == 0, "nobody listens on port \(port)")
        try hurry()
    }

    /// Sends at once what is small.
    func hurry() throws {
        var yes: Int32 = 1
        let status = setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        try require(status == 0, "no TCP_NODELAY")
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[sent...])
                return write(descriptor, rest.baseAddress, rest.count)
            }
            try require(count > 0, "a connection broke while it was written to")
            sent += count
        }
    }

    /// Reads what is there; false at the end of the connection.
    mutating func receive() -> Bool {
        let count = read(descriptor, &room, room.count)
        guard count > 0 else { return false }
        unread += room[..<count]
        return true
    }

    /// The first line of the next message that is here whole, which is taken out; nil when there is none.
    mutating func message() throws -> String? {
        guard let end = endOfHead else { return nil }
        let head = String(decoding: unread[..<end], as: UTF8.self).lowercased()
        var length = 0
        for line in head.split(separator: "\r\n") where line.hasPrefix("content-length:") {
            length = Int(line.dropFirst(15).drop { $0 == " " }) ?? -1
        }
        try require(length >= 0, "no length in \(head)")
        guard unread.count >= end + length else { return nil }
        unread.removeFirst(end + length)
        return head.prefix { $0 != "\r" && $0 != "\r\n" }.description
    }

    /// Behind the empty line.
    private var endOfHead: Int? {
        guard unread.count >= 4 else { return nil }
        // All that an answer has in its head stands in its first kilobytes.
        for start in 0...min(unread.count - 4, 8_192)
        where unread[start] == 13 && unread[start + 1] == 10 && unread[start + 2] == 13
            && unread[start + 3] == 10
        {
            return start + 4
        }
        return nil
    }
}

/// Calls `body` with the address of a port of 127.0.0.1.
func withAddress(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Waits until some of the descriptors can be read; answers their places.
func readable(_ descriptors: [Int32]) throws -> [Int] {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let count = poll(&polled, nfds_t(polled.count), 20_000)
    try require(count > 0, count == 0 ? "nothing was answered for 20 seconds" : "poll failed")
    return polled.indices.filter { polled[$0].revents != 0 }
}
