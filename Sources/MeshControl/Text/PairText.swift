import MeshBase

/// What `comity pair` says.
public enum PairText {
    /// Beside the open window.
    public static func opened(_ report: PairReport, _ presentation: Presentation) -> String {
        let command = presentation.ink(.command, "comity pair")
        let until = report.until.map { " until \(presentation.date($0))" } ?? ""
        return "open\(until); on the other node: \(command)   (one of the two picks the other)\n"
    }

    /// One line for each whose window is seen; the one that is chosen stands out.
    /// - Parameter chosen: its place; nil where nobody chooses with keys.
    public static func list(_ seen: [PairSighting], chosen: Int?, _ presentation: Presentation) -> [String] {
        guard !seen.isEmpty else {
            return ["  nobody else is seen yet; without mDNS: comity pair HOST:PORT on one of the two"]
        }
        return seen.enumerated().map { place, other in
            let where_ = other.endpoints.map(\.description).joined(separator: " ")
            let line = "\(place == chosen ? ">" : " ") \(other.name)  \(where_)"
            return place == chosen ? presentation.ink(.bold, line) : line
        }
    }

    /// The words, and what to do with them.
    public static func comparing(_ report: PairReport, _ presentation: Presentation) -> String {
        let other = report.address.map { "the node at \($0)" } ?? "the other node"
        var text = "\(other) is there; compare the words with its operator, by voice or by eye:\n\n      "
        text += presentation.ink(.bold, report.words.joined(separator: " ")) + "\n\n"
        if let skew = report.clockSkewSeconds, abs(skew) >= 2 {
            text += "  its clock is \(PeerText.skew(skew))\n"
        }
        return text
    }

    /// Waiting for the other operator.
    public static let answered = "waiting for the other operator's yes\n"

    /// What is dialled, and why it does not go on.
    public static func dialling(_ report: PairReport) -> String {
        let place = report.address.map(\.description) ?? "the other node"
        guard let failure = report.failure else { return "dialling \(place)\n" }
        let why = failure.code == "pairing-closed" ? "its window is not open yet" : failure.message
        return "dialling \(place) again and again: \(why.madePrintable)\n"
    }

    /// Trust is made.
    public static func paired(
        _ report: PairReport, _ reach: ReachReport?, _ presentation: Presentation
    ) -> String {
        let name = report.peer?.title ?? "the other node"
        var text = presentation.ink(.good, "paired with \(name)") + "\n"
        if let reach { text += ReachText.lines(reach, presentation) }
        text += ReasonText.next("comity call \(name)/echo '{\"hi\":1}'", presentation)
        return text
    }
}

/// What was found of two nodes' ways to one another.
public enum ReachText {
    /// A line for each direction, and one for the clocks.
    public static func lines(_ reach: ReachReport, _ presentation: Presentation) -> String {
        let name = reach.peer.title
        var text = "  \(name) reaches this node  \(line(reach.inbound, presentation))\n"
        text += "  this node reaches \(name)  \(line(reach.outbound, presentation))\n"
        if let skew = reach.clockSkewSeconds {
            text += "  its clock  \(PeerText.skew(skew))\n"
        }
        return text
    }

    private static func line(_ attempts: [ReachAttempt], _ presentation: Presentation) -> String {
        if let reached = attempts.first(where: \.isReached) {
            return presentation.ink(.good, "at \(reached.endpoint)")
        }
        guard !attempts.isEmpty else { return "not known: nobody tried" }
        let tried = attempts.map { "\($0.endpoint) (\($0.because ?? "no answer"))" }
        return presentation.ink(.bad, "not at \(tried.joined(separator: ", "))")
    }
}
