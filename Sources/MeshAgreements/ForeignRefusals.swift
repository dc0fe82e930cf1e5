import MeshBase

/// Reasons that a peer gave, cut down to what is fit to be kept and shown.
public enum ForeignRefusals {
    /// Bytes of text that are kept of one peer's reasons.
    public static let textMax = 4 * 1024
    /// Reasons that are kept.
    public static let countMax = 8

    /// The first reasons of `refusals` that fit; facts with control or bidirectional characters, or too
    /// long, are left out.
    public static func bounded(_ refusals: [Refusal]) -> [Refusal] {
        var room = textMax
        var kept: [Refusal] = []
        for refusal in refusals.prefix(countMax) {
            var facts: [Fact] = []
            for fact in refusal.facts.prefix(16) {
                let length = fact.name.utf8.count + fact.value.utf8.count
                guard length <= Limits.documentText, length <= room, fact.name.isPlain, fact.value.isPlain
                else {
                    continue
                }
                room -= length
                facts.append(fact)
            }
            kept.append(Refusal(refusal.code, facts))
        }
        return kept
    }
}
