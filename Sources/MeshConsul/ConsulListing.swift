import MeshBase
import MeshWire

/// One answer to "who is registered under this name and healthy": what of it can be listened to.
public struct ConsulListing: Equatable, Sendable {
    /// One registration. Nothing of it is proven.
    public struct Entry: Equatable, Sendable {
        /// The registration's ID, with the name of the server's node that holds it.
        public let source: String
        /// The registration's ID alone.
        public let id: String
        /// Where it says it listens.
        public let endpoint: Endpoint
        /// What it says of itself: pairs of text.
        public let metadata: [String: String]
    }

    /// Bytes of one answer. A registration takes some 1 500; what is longer is not read.
    public static let lengthInBytes = 4 << 20

    /// In the order of the answer, at most `Limits.sightings` times four.
    public let entries: [Entry]
    /// Registrations that were passed over: without address or port, not healthy whatever was asked for, not
    /// as their kind must be.
    public let passedOver: Int

    static let entriesMax = 4 * Limits.sightings

    /// Reads the body of `/v1/health/service/NAME`.
    /// - Throws: when it is no such answer as a whole; single registrations that make no sense are passed
    ///   over.
    public init(_ body: [UInt8]) throws(ConsulFailure) {
        guard body.count <= Self.lengthInBytes else { throw .answerTooLong(limit: Self.lengthInBytes) }
        let json: ForeignJSON
        do {
            json = try ForeignJSON(body)
        } catch {
            throw .answerMalformed(what: "\(error)")
        }
        guard case .array(let list) = json else { throw .answerMalformed(what: "no list of registrations") }
        let entries = list.lazy.compactMap(Self.entry).prefix(Self.entriesMax)
        self.entries = Array(entries)
        passedOver = list.count - self.entries.count
    }

    private static func entry(_ json: ForeignJSON) -> Entry? {
        guard let service = json["Service"], let node = json["Node"], let id = service.text("ID"),
            let name = node.text("Node"), isPlain(id), isPlain(name), isPassing(json["Checks"]),
            case .number(let number?)? = service["Port"], let port = UInt16(exactly: number), port > 0
        else { return nil }
        let source = "\(name)/\(id)"
        // No address of its own means that of the server's node.
        let own = service.text("Address") ?? ""
        let host = own.isEmpty ? node.text("Address") ?? "" : own
        // What a scope means, only its own machine knows.
        guard source.utf8.count <= 255, !host.contains("%"), !host.contains("["),
            let endpoint = Endpoint(Endpoint(host: host, port: port).description)
        else { return nil }
        return Entry(source: source, id: id, endpoint: endpoint, metadata: metadata(service["Meta"]))
    }

    private static func metadata(_ json: ForeignJSON?) -> [String: String] {
        guard case .object(let members)? = json else { return [:] }
        return members.compactMapValues { if case .text(let text) = $0 { text } else { nil } }
    }

    /// Asked for too, but an older server, or a liar, may not have listened.
    private static func isPassing(_ checks: ForeignJSON?) -> Bool {
        guard case .array(let checks)? = checks else { return true }
        return checks.allSatisfy { $0.text("Status") == "passing" }
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { (0x21...0x7e).contains($0.value) }
    }
}
