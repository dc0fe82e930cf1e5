import MeshBase
import MeshWire

/// The four things that are asked of Consul, as its HTTP API writes them.
enum ConsulRequest: Equatable {
    case list(BlockingQuery.Question)
    case register(ConsulRegistration)
    case pass(id: String)
    case deregister(id: String)

    var isReading: Bool {
        switch self {
        case .list: true
        case .register, .pass, .deregister: false
        }
    }

    /// Path and query. A token never stands here: queries end up in logs.
    func target(_ settings: ConsulSettings) -> String {
        switch self {
        case .list(let question): list(question, settings)
        case .register: "/v1/agent/service/register?replace-existing-checks=true"
        case .pass(let id): "/v1/agent/check/pass/\(Self.escaped(Self.checkID(id)))"
        case .deregister(let id): "/v1/agent/service/deregister/\(Self.escaped(id))"
        }
    }

    private func list(_ question: BlockingQuery.Question, _ settings: ConsulSettings) -> String {
        var query = ["passing=1"]
        if question.index > 0 {
            query += ["index=\(question.index)", "wait=\(question.wait.components.seconds)s"]
        }
        if let datacenter = settings.datacenter { query.append("dc=\(Self.escaped(datacenter))") }
        let conditions = settings.required.map { key, value in
            "Service.Meta[\(Self.quoted(key))] == \(Self.quoted(value))"
        }
        if !conditions.isEmpty {
            query.append("filter=\(Self.escaped(conditions.joined(separator: " and ")))")
        }
        return "/v1/health/service/\(Self.escaped(settings.service))?" + query.joined(separator: "&")
    }

    /// The body; nil for none.
    func body(_ settings: ConsulSettings) throws(ConsulFailure) -> [UInt8]? {
        guard case .register(let registration) = self else { return nil }
        do {
            return try Document.encode(Registration(registration, service: settings.service))
        } catch {
            throw .settings(what: "the registration cannot be written: \(error)")
        }
    }

    static func checkID(_ id: String) -> String { "service:\(id)" }

    /// A text as Consul's filters take it.
    private static func quoted(_ text: String) -> String {
        let escaped = text.flatMap { (letter: Character) -> [Character] in
            letter == "\"" || letter == "\\" ? ["\\", letter] : [letter]
        }
        return "\"" + String(escaped) + "\""
    }

    /// All but unreserved characters percent-encoded (RFC 3986 section 2.3).
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + Hexadecimal.encode([byte])
            }
        }.joined()
    }
}

/// The body of a registration. It begins passing, for this node lives: else each renewal of its tag would
/// show it as gone for a moment.
private struct Registration: Encodable {
    struct TTLCheck: Encodable {
        let CheckID: String
        let Name = "comity says that it lives"
        let TTL = "\(Lease.life.components.seconds)s"
        let DeregisterCriticalServiceAfter = "\(Lease.oblivion.components.seconds)s"
        let Status = "passing"
    }

    let ID: String
    let Name: String
    /// Nil: the address of the server's node.
    let Address: String?
    let Port: Int
    let Meta: [String: String]
    let Check: TTLCheck

    init(_ registration: ConsulRegistration, service: String) {
        ID = registration.id
        Name = service
        Address = registration.endpoint.host.isEmpty ? nil : registration.endpoint.host
        Port = Int(registration.endpoint.port)
        Meta = Dictionary(uniqueKeysWithValues: registration.metadata.map { ($0, $1) })
        Check = TTLCheck(CheckID: ConsulRequest.checkID(registration.id))
    }
}
