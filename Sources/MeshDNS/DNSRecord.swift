import MeshBase

/// One resource record that somebody sent. Nothing of it is proven.
struct DNSRecord: Hashable, Sendable {
    /// What a record says, by its kind.
    enum Value: Hashable, Sendable {
        /// Four bytes.
        case a([UInt8])
        /// Sixteen bytes.
        case aaaa([UInt8])
        case cname(DNSName)
        case ptr(DNSName)
        case srv(Service)
        /// The strings, each at most 255 bytes.
        case txt([[UInt8]])
    }

    /// Where a service is (RFC 2782).
    struct Service: Hashable, Sendable {
        /// The lower is tried first.
        let priority: UInt16
        /// Among one priority, the higher is tried first: an instance is one node, and there is no load to be
        /// spread.
        let weight: UInt16
        let port: UInt16
        /// The root says that there is no such service.
        let target: DNSName
    }

    let name: DNSName
    /// How long it holds; a number with its highest bit set counts as 0 (RFC 2181 section 8).
    let timeToLive: Duration
    let value: Value

    var kind: DNSQuestion.Kind {
        switch value {
        case .a: .a
        case .aaaa: .aaaa
        case .cname: .cname
        case .ptr: .ptr
        case .srv: .srv
        case .txt: .txt
        }
    }
}
