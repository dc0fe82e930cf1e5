import Foundation
import MeshBase
import NIOCore
import NIOPosix
import Synchronization

@testable import MeshLink

/// What the tests with real sockets share: one group of event loops, and certificates made by OpenSSL.
enum Fixtures {
    static let openSSL = "/usr/bin/openssl"
    static let hasOpenSSL = FileManager.default.isExecutableFile(atPath: openSSL)
    /// Removed when the process ends.
    static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-link-\(UUID().uuidString)")
        atexit { try? FileManager.default.removeItem(at: Fixtures.folder) }
        return folder
    }()
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    static let alice = TestCertificate("alice")
    static let bob = TestCertificate("bob")
}

/// A self-made P-256 certificate in a folder of its own.
final class TestCertificate: Sendable {
    let folder: URL
    let certificate: [UInt8]
    let credentials: LinkCredentials
    var certificatePath: String { folder.appending(path: "certificate.pem").path }
    var keyPath: String { folder.appending(path: "key.pem").path }

    init(_ name: String) {
        do {
            folder = Fixtures.folder.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let pem = folder.appending(path: "certificate.pem").path
            let key = folder.appending(path: "key.pem").path
            let der = folder.appending(path: "certificate.der").path
            _ = run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                key,
                "-out", pem, "-days", "2", "-subj", "/CN=\(name)",
            ])
            _ = run(["x509", "-in", pem, "-outform", "DER", "-out", der])
            certificate = Array(try Data(contentsOf: URL(filePath: der)))
            credentials = LinkCredentials(
                certificate: certificate, privateKey: Array(try Data(contentsOf: URL(filePath: key))))
        } catch {
            fatalError("no certificate: \(error)")
        }
    }
}

/// Runs the OpenSSL program, feeds it `input`, holds its standard input open for `patience` seconds or until
/// it ends, and answers what it printed.
func run(_ arguments: [String], input: [UInt8] = [], patience: Double = 0) -> String {
    let process = Process()
    process.executableURL = URL(filePath: Fixtures.openSSL)
    process.arguments = arguments
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stdout
    do {
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: input)
    } catch {
        return "could not run: \(error)"
    }
    let end = Date().addingTimeInterval(patience)
    while process.isRunning && Date() < end { usleep(5_000) }
    stdin.fileHandleForWriting.closeFile()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
}

/// A transport whose observer writes everything down.
final class TestNode: LinkObserver {
    struct Records {
        var events: [(ConnectionID, LinkEvent)] = []
        var turnedAway: [LinkEnd] = []
        var nextID: UInt64
        var transport: LinkTransport?
    }

    let records: Mutex<Records>
    /// Who takes the streams that peers open; nil refuses them.
    let takesStream: @Sendable (LinkStream, ByteBuffer) -> (any LinkStreamObserver)?

    init(
        _ certificate: TestCertificate, firstID: UInt64 = 1_000, times: LinkTimes = LinkTimes(),
        names: NameLookup = NameLookup(),
        takesStream: @escaping @Sendable (LinkStream, ByteBuffer) -> (any LinkStreamObserver)? = { _, _ in nil
        }
    ) throws {
        self.takesStream = takesStream
        records = Mutex(Records(nextID: firstID))
        let transport = try LinkTransport(
            group: Fixtures.group, credentials: certificate.credentials, observer: self, times: times,
            names: names)
        records.withLock { $0.transport = transport }
    }

    var transport: LinkTransport {
        guard let transport = records.withLock({ $0.transport }) else { fatalError("no transport") }
        return transport
    }

    func nameAcceptedConnection() -> ConnectionID {
        records.withLock { records in
            records.nextID += 1
            return ConnectionID(records.nextID)
        }
    }

    func connection(_ id: ConnectionID, did event: LinkEvent) {
        records.withLock { $0.events.append((id, event)) }
    }

    func connection(_ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer) -> (
        any LinkStreamObserver
    )? {
        takesStream(stream, head)
    }

    func turnedAway(_ remote: Endpoint, because end: LinkEnd) {
        records.withLock { $0.turnedAway.append(end) }
    }

    /// The first event so far, or to come within ten seconds, of which `pick` makes something.
    func first<Result: Sendable>(_ pick: (ConnectionID, LinkEvent) -> Result?) async throws -> Result {
        do {
            return try await eventually("no such event") {
                records.withLock { $0.events.lazy.compactMap(pick).first }
            }
        } catch {
            let seen = records.withLock { $0.events.map { "\($0.0): \($0.1)".prefix(100) } }
            throw Waited(what: "no such event among \(seen)")
        }
    }

    /// The facts of the first connection that is secured, not counting those in `known`.
    func secured(not known: [ConnectionID] = []) async throws -> SecuredConnection {
        try await first { id, event in
            if case .secured(let facts) = event, !known.contains(id) { facts } else { nil }
        }
    }

    /// How the connection ended.
    func closed(_ connection: ConnectionID) async throws -> LinkEnd {
        try await first { id, event in if case .closed(let end) = event, id == connection { end } else { nil }
        }
    }

    func firstTurnedAway() async throws -> LinkEnd {
        try await eventually("nobody was turned away") { records.withLock { $0.turnedAway.first } }
    }
}

struct Waited: Error { let what: String }

/// What `look` finds, asked again and again for ten seconds.
@discardableResult
func eventually<Result>(_ complaint: String, _ look: () -> Result?) async throws -> Result {
    for _ in 0..<5_000 {
        if let result = look() { return result }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw Waited(what: complaint)
}

/// Two nodes with an admitted connection between them.
struct Linked {
    let here: TestNode
    let there: TestNode
    let idHere: ConnectionID
    let idThere: ConnectionID

    init(
        host: String = "127.0.0.1",
        takesStream: @escaping @Sendable (LinkStream, ByteBuffer) -> (any LinkStreamObserver)? = { _, _ in nil
        }
    ) async throws {
        here = try TestNode(Fixtures.alice)
        there = try TestNode(Fixtures.bob, takesStream: takesStream)
        let endpoint = try await there.transport.listen(on: Endpoint(host: host, port: 0))
        idHere = ConnectionID(1)
        here.transport.dial(endpoint, as: idHere, for: .peer)
        _ = try await here.secured()
        idThere = try await there.secured().id
        there.transport.admit(idThere)
        // As in life, where the dialler goes on only after the listener's last message.
        let listener = there.transport
        try await eventually("not admitted") { listener.counts.admitted == 1 ? () : nil }
        here.transport.admit(idHere)
    }

    func end() async {
        await here.transport.drain(within: .zero)
        await there.transport.drain(within: .zero)
    }
}
