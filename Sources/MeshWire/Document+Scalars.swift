extension Document {
    /// The texts, numbers and truth values at the top of a JSON object, by rising name; nil when `bytes` is
    /// no object that this reader takes.
    public static func scalars(of bytes: [UInt8], limit: Int = 8 * 1024) -> [(name: String, value: String)]? {
        let tree: DocumentTree
        do throws(WireError) {
            tree = try DocumentTree(scanning: bytes, limit: limit, textLimit: limit)
        } catch {
            return nil
        }
        guard case .object = tree.nodes.first?.content else { return nil }
        let scalars = tree.children(of: 0).compactMap { index -> (name: String, value: String)? in
            guard let name = tree.nodes[index].name else { return nil }
            switch tree.nodes[index].content {
            case .text(let text): return (name, text)
            case .integer(let number): return (name, String(number))
            case .boolean(let flag): return (name, String(flag))
            case .array, .object: return nil
            }
        }
        return scalars.sorted { $0.name < $1.name }
    }
}
