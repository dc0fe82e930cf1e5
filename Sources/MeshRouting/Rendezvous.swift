/// Which of several places a key belongs to, by the highest random weight (Thaler and Ravishankar, "Using
/// Name-Based Mappings to Increase Hit Rates", 1998): every place draws tickets for the key, as many as its
/// weight, and the highest ticket wins.
///
/// So a key keeps its place while that one is among the candidates; when a place goes, only its keys move,
/// spread over the others; when it returns, they return. Of many keys each place has a share by its weight.
/// Costs one multiplication or two for each unit of weight.
public enum Rendezvous {
    /// FNV-1a of 64 bits, of `key`. No secret: whoever chooses keys chooses their places anyhow.
    public static func hash(_ key: String) -> UInt64 {
        key.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The index of the place that `key` belongs to; nil when there is none.
    /// - Parameter places: each with a number that is its own wherever it stands, and its weight, at least 1.
    public static func pick(_ places: [(name: UInt64, weight: Int64)], for key: UInt64) -> Int? {
        var best: (ticket: UInt64, name: UInt64, index: Int)?
        for (index, place) in places.enumerated() {
            let seed = mixed(mixed(key) ^ place.name)
            for number in 0..<UInt64(max(place.weight, 1)) {
                let ticket = mixed(seed &+ number &* 0x9e37_79b9_7f4a_7c15)
                if let found = best, (found.ticket, found.name) >= (ticket, place.name) { continue }
                best = (ticket, place.name, index)
            }
        }
        return best?.index
    }

    /// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
    /// 2014): every bit of the input moves half of the output's.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
