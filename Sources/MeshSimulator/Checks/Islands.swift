/// Which of so many places hang together.
struct Islands {
    private var shores: [Int]

    init(_ count: Int) { shores = Array(0..<count) }

    /// The lowest place of the island on which `place` is.
    func land(of place: Int) -> Int {
        var place = place
        while shores[place] != place { place = shores[place] }
        return place
    }

    /// From now on a way leads from one to the other.
    mutating func join(_ one: Int, _ other: Int) {
        let (left, right) = (land(of: one), land(of: other))
        shores[max(left, right)] = min(left, right)
    }
}
