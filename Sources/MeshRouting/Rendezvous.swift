import MeshBase

/// Which of several places a key belongs to, by the highest random weight (Thaler and Ravishankar, "Using
/// Name-Based Mappings to Increase Hit Rates", 1998): every place draws a ticket for the key, and the highest
/// wins.
///
/// So a key keeps its place while that one is among the candidates; when a place goes, only its keys move,
/// spread over the others; when it returns, they return. A weight counts as if the place drew so many
/// tickets: the time to the first event of a process is shorter by the rate, and the shortest wins
/// (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006). So of many keys each place
/// has a share by its weight, and a weight that changes moves keys only to or from its place.
public enum Rendezvous {
    /// FNV-1a of 64 bits, of `key`. No secret: whoever chooses keys chooses their places anyhow.
    public static func hash(_ key: String) -> UInt64 {
        key.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The index of the place that `key` belongs to; nil when there is none.
    /// - Parameter places: each with a number that is its own wherever it stands, and its weight.
    public static func pick(_ places: [(name: UInt64, weight: RouteWeight)], for key: UInt64) -> Int? {
        var best: (draw: Draw, index: Int)?
        for (index, place) in places.enumerated() {
            let draw = Draw(
                ticket: mixed(mixed(key) ^ place.name), name: place.name,
                weight: UInt64(place.weight.thousandths))
            if let found = best, !draw.isBefore(found.draw) { continue }
            best = (draw, index)
        }
        return best?.index
    }

    /// What one place drew.
    private struct Draw {
        let ticket: UInt64
        let name: UInt64
        let weight: UInt64
        /// The rarity of so high a ticket, in bits: below 2^39.
        let rarity: UInt64

        init(ticket: UInt64, name: UInt64, weight: UInt64) {
            self.ticket = ticket
            self.name = name
            self.weight = weight
            rarity = Rendezvous.rarity(of: ticket)
        }

        /// Rarity by weight, the lower first; both products are below 2^63.
        func isBefore(_ other: Draw) -> Bool {
            let (own, others) = (rarity * other.weight, other.rarity * weight)
            return own == others ? (ticket, name) > (other.ticket, other.name) : own < others
        }
    }

    /// - log2(`ticket` / 2^64) with 32 binary places, digit by digit from squares (Knuth, TAOCP volume 1,
    /// section 1.2.2, exercise 25): in whole numbers, alike on every machine. Falls as the ticket rises.
    static func rarity(of ticket: UInt64) -> UInt64 {
        let zeros = ticket.leadingZeroBitCount
        guard zeros < 64 else { return 64 << 32 }
        // 1 ... 2, with 63 binary places.
        var number = ticket << UInt64(zeros)
        var fraction: UInt64 = 0
        for _ in 0..<32 {
            let square = number.multipliedFullWidth(by: number).high
            let isTwoOrMore = square >> 63 == 1
            fraction = fraction << 1 | (isTwoOrMore ? 1 : 0)
            number = isTwoOrMore ? square : square << 1
        }
        return UInt64(zeros + 1) << 32 - fraction
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
