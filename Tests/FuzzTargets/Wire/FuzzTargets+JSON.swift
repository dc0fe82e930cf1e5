import Foundation
import MeshBase

@testable import MeshWire

/// The JSON scanner, against Foundation's laxer parser.
extension FuzzTargets {
    static let json = FuzzTarget(
        "json",
        samples: {
            [
                #"{"a":[1,-1,true,{"b":"\u00e9"}],"c":9007199254740991}"#, #" [ "😀" , [ ] , { } ] "#, "0",
                #""\ud83d\ude00\/\\\"""#,
                String(repeating: "[", count: 16) + String(repeating: "]", count: 16),
            ].map { Array($0.utf8) }
        },
        read: { bytes in
            let scan = { try DocumentTree(scanning: bytes, limit: 64 * 1024, textLimit: Limits.documentText) }
            guard let tree = try refusing(scan) else { return .refused }
            try hold(
                tree.nodes.count <= bytes.count, "\(tree.nodes.count) values out of \(bytes.count) bytes")
            let other: Any
            do {
                other = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            } catch {
                throw Breach("taken by us alone: \(String(decoding: bytes, as: UTF8.self))")
            }
            try hold(agrees(tree, 0, other), "read otherwise: \(String(decoding: bytes, as: UTF8.self))")
            let value = try Document.decode(AnyDocument.self, from: bytes, limit: 64 * 1024)
            let canonical = try Document.encode(value)
            try hold(canonical.count <= bytes.count, "the one form is longer than what came")
            let again = try Document.decode(AnyDocument.self, from: canonical, limit: 64 * 1024)
            try hold(again == value, "the one form is of another value")
            try hold(try Document.encode(again) == canonical, "there are two forms")
            return .taken
        })

    private static func agrees(_ tree: DocumentTree, _ node: Int, _ other: Any) -> Bool {
        let children = tree.children(of: node)
        switch tree.nodes[node].content {
        case .text(let text): return (other as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        case .integer(let number): return (other as? NSNumber)?.int64Value == number
        case .boolean(let value): return (other as? NSNumber)?.boolValue == value
        case .array(let count):
            guard let array = other as? [Any], array.count == count, children.count == count else {
                return false
            }
            return zip(children, array).allSatisfy { agrees(tree, $0, $1) }
        case .object(let index):
            guard let object = other as? [String: Any], object.count == index.count else { return false }
            return children.allSatisfy { child in
                tree.nodes[child].name.flatMap { object[$0] }.map { agrees(tree, child, $0) } ?? false
            }
        }
    }
}

/// Any document.
enum AnyDocument: Codable, Equatable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case array([AnyDocument])
    case object([String: AnyDocument])

    init(from decoder: any Swift.Decoder) throws {
        guard let decoder = decoder as? DocumentDecoder else { throw Breach("read by \(type(of: decoder))") }
        switch decoder.reading.content(of: decoder.node) {
        case .text: self = .text(try String(from: decoder))
        case .integer: self = .integer(try Int64(from: decoder))
        case .boolean: self = .boolean(try Bool(from: decoder))
        case .array: self = .array(try [AnyDocument](from: decoder))
        case .object: self = .object(try [String: AnyDocument](from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .integer(let number): try number.encode(to: encoder)
        case .boolean(let value): try value.encode(to: encoder)
        case .array(let elements): try elements.encode(to: encoder)
        case .object(let members): try members.encode(to: encoder)
        }
    }
}
