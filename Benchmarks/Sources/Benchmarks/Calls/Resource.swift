import Glibc

/// The resource behind the calls: `GET /small` is answered with 200 bytes, `GET /large` with 64 KiB. One thread
/// that does nothing else.
enum Resource {
    /// Prints its port and serves until it is ended.
    static func serve() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try require(listener >= 0, "no socket")
        try require(
            withAddress(port: 0) { bind(listener, $0, $1) } == 0 && listen(listener, 128) == 0, "no port")
        print(try port(of: listener))
        fflush(nil)
        signal(SIGPIPE, SIG_IGN)
        let (small, large) = (answer(of: 200), answer(of: 65_536))
        var connections: [LoopbackHTTP] = []
        while true {
            // A quiet hour is no failure: it waits again.
            guard let ready = wait(for: [listener] + connections.map(\.descriptor)) else { continue }
            var ended: [Int] = []
            for place in ready where place > 0 {
                if try !answer(&connections[place - 1], small: small, large: large) {
                    ended.append(place - 1)
                }
            }
            for index in ended.reversed() { close(connections.remove(at: index).descriptor) }
            if ready.contains(0) {
                let connection = LoopbackHTTP(accept(listener, nil, nil))
                try connection.hurry()
                connections.append(connection)
            }
        }
    }

    /// Answers what has come; false once the connection is over.
    private static func answer(_ connection: inout LoopbackHTTP, small: [UInt8], large: [UInt8]) throws
        -> Bool
    {
        guard connection.receive() else { return false }
        while let line = try connection.message() {
            do {
                try connection.send(line.contains("/large") ? large : small)
            } catch {
                // Whoever asked is gone; the others are served on.
                return false
            }
        }
        return true
    }

    private static func wait(for descriptors: [Int32]) -> [Int]? {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), -1) > 0 else { return nil }
        return polled.indices.filter { polled[$0].revents != 0 }
    }

    private static func answer(of length: Int) -> [UInt8] {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: \(length)\r\n\r\n"
        return Array(head.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: length)
    }

    private static func port(of socket: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        try require(status == 0, "no name of a socket")
        return UInt16(bigEndian: address.sin_port)
    }
}
