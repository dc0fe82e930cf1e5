import Glibc
import MeshBase

extension NodeName {
    /// The name of this host as a node may bear it: its first label, what is not allowed made into `-`;
    /// `node` when nothing is left.
    public static func ofThisHost() -> NodeName {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return NodeName(fittedFrom: "") }
        return NodeName(
            fittedFrom: String(
                decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    init(fittedFrom host: String) {
        let label = host.prefix { $0 != "." }
        let fitted = label.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                byte
            default: UInt8(ascii: "-")
            }
        }
        let joiners = [UInt8(ascii: "-"), UInt8(ascii: "_")]
        let begun = fitted.drop { joiners.contains($0) }.prefix(63)
        guard let name = NodeName(String(decoding: begun, as: UTF8.self)) ?? NodeName("node") else {
            preconditionFailure("\"node\" is no node name")
        }
        self = name
    }
}
