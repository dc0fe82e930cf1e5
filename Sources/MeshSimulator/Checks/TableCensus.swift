import MeshBase

/// How large every table inside a value is, by where it stands.
///
/// It looks instead of being told: a table that somebody adds to a machine tomorrow is counted without a word
/// here. Bytes and texts are no tables.
struct TableCensus {
    /// The largest table at each place; elements of a table stand at one place together.
    private(set) var sizes: [String: Int] = [:]

    /// Tables that hold more than `limit`, with how many, in the order of their places.
    func beyond(_ limit: Int) -> [(place: String, count: Int)] {
        sizes.filter { $0.value > limit }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Counts all that `value` holds.
    mutating func count(_ value: Any, at place: String) {
        guard !(value is [UInt8]), !(value is String) else { return }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .collection, .set, .dictionary:
            note(Int(mirror.children.count), at: place)
            for child in mirror.children { count(child.value, at: place + "[]") }
        case .optional: for child in mirror.children { count(child.value, at: place) }
        default:
            for child in mirror.children {
                // The two columns of an `OrderedTable` are one table.
                let isColumn = child.label == "rising" || child.label == "stored"
                count(child.value, at: isColumn ? place : "\(place).\(child.label ?? "")")
            }
        }
    }

    private mutating func note(_ count: Int, at place: String) {
        sizes[place] = max(sizes[place] ?? 0, count)
    }
}
