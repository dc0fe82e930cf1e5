/// A checked document, flat: nodes in the order in which they stand in the bytes, each knowing where what it
/// contains ends.
struct DocumentTree {
    /// One value of the document.
    struct Node {
        /// The member's name when the value is one of an object; else nil.
        let name: String?
        /// Where its first byte stands.
        let offset: Int
        var content: Content
        /// The index of the first node that is neither this one nor inside it.
        var end: Int
    }

    enum Content {
        case text(String)
        case integer(Int64)
        case boolean(Bool)
        /// The elements follow; how many there are.
        case array(count: Int)
        /// The members follow; where each stands. It is asked, never walked.
        case object(index: [String: Int])

        /// The kind of value, for messages.
        var kind: String {
            switch self {
            case .text: "a text"
            case .integer: "a number"
            case .boolean: "true or false"
            case .array: "an array"
            case .object: "an object"
            }
        }
    }

    /// At least one; the first is the document itself.
    private(set) var nodes: [Node] = []

    /// The nodes directly inside the one at `parent`, in the order in which they stand.
    func children(of parent: Int) -> [Int] {
        var children: [Int] = []
        var child = parent + 1
        while child < nodes[parent].end {
            children.append(child)
            child = nodes[child].end
        }
        return children
    }

    /// Adds a node without content; `close` gives it that.
    mutating func open(name: String?, offset: Int) -> Int {
        nodes.append(Node(name: name, offset: offset, content: .boolean(false), end: nodes.count + 1))
        return nodes.count - 1
    }

    /// Ends the node at `index`: everything opened since lies inside it.
    mutating func close(_ index: Int, _ content: Content) {
        nodes[index].content = content
        nodes[index].end = nodes.count
    }
}
