import MeshBase

/// Makes texts and lists fit where encoding must not fail: in the audit, and in a refusal on its way back.
///
/// Nothing disappears silently: a text that was cut ends in `…`, a character that may not stand becomes
/// U+FFFD, and a list that lost entries says how many in a last fact.
enum Fitting {
    /// Bytes of a fact's name.
    static let nameLimit = 64
    /// Bytes of the facts of one list, or of all refusals together, as `size` counts them.
    static let listBudget = 6 * 1024
    /// What the last fact is called in a list that lost some.
    static let leftOut = "left out"
    /// Room kept for that last fact.
    private static let leftOutSize = 32

    /// `text`, normalised, plain and within `limit` bytes, as documents want it. What is so already is
    /// returned as it is.
    static func text(_ text: String, limit: Int) -> String {
        if text.utf8.count <= limit, TextRules.flaw(of: text, limit: limit) == nil { return text }
        // More than can stay, so that what an attacker wrote is not normalised as a whole.
        let rest = text.unicodeScalars.dropFirst(limit + 1)
        let beginning = String(text.unicodeScalars[..<rest.startIndex])
        var scalars = String.UnicodeScalarView()
        var length = 0
        for scalar in TextRules.normalised(beginning).unicodeScalars {
            let fitting = String(scalar).isPlain ? scalar : "\u{fffd}"
            let next = length + UTF8.width(fitting)
            guard next + 3 <= limit else { return String(scalars) + "…" }
            scalars.append(fitting)
            length = next
        }
        return rest.isEmpty ? String(scalars) : String(scalars) + "…"
    }

    /// Whether `facts` would give them as they are: most do, and are only looked at.
    static func fits(_ facts: [Fact]) -> Bool {
        var left = listBudget - leftOutSize
        for fact in facts {
            left -= size(fact)
            guard left >= 0, fact.name.utf8.count <= nameLimit, fact.name.isVisibleASCII,
                fact.value.utf8.count <= Limits.documentText, fact.value.isVisibleASCII
            else { return false }
        }
        return true
    }

    /// As many of `facts`, from the first, as fit in `budget`.
    static func facts(_ facts: [Fact], budget: Int = listBudget) -> [Fact] {
        var fitted: [Fact] = []
        var left = budget - leftOutSize
        for fact in facts {
            let next = Fact(text(fact.name, limit: nameLimit), text(fact.value, limit: Limits.documentText))
            left -= size(next)
            guard left >= 0 else { return fitted + [Fact(leftOut, facts.count - fitted.count)] }
            fitted.append(next)
        }
        return fitted
    }

    /// As many of `refusals`, from the first, as fit; the last one kept says how many did not.
    static func refusals(_ refusals: [Refusal]) -> [Refusal] {
        var fitted: [Refusal] = []
        var left = listBudget - leftOutSize
        for refusal in refusals {
            let next = Refusal(refusal.code, facts(refusal.facts, budget: 1024))
            left -= size(next)
            if left < 0, let last = fitted.popLast() {
                let lost = Fact("further refusals \(leftOut)", refusals.count - fitted.count - 1)
                return fitted + [Refusal(last.code, last.facts + [lost])]
            }
            fitted.append(next)
        }
        return fitted
    }

    private static func size(_ fact: Fact) -> Int { fact.name.utf8.count + fact.value.utf8.count + 4 }
    private static func size(_ refusal: Refusal) -> Int {
        refusal.facts.reduce(refusal.code.rawValue.utf8.count + 3) { $0 + size($1) }
    }
}
