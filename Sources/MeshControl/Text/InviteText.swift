import MeshBase

/// What `comity invite` and `comity join` say.
public enum InviteText {
    /// Beside the line: how long, and what to do with it.
    public static func opened(_ invite: InviteReport, _ presentation: Presentation) -> String {
        "on the other node: \(presentation.ink(.command, "comity join LINE"))   "
            + "(one node, once, until \(presentation.date(invite.expires)))\n"
    }

    /// Who is at the door.
    public static func asking(_ progress: InviteProgress, _ presentation: Presentation) -> String {
        "\(progress.peer?.title ?? "somebody") asks to join\n  words  "
            + presentation.ink(.bold, progress.words.joined(separator: " ")) + "\n"
    }

    /// Who joined.
    public static func joined(_ progress: InviteProgress, _ presentation: Presentation) -> String {
        "\(presentation.ink(.good, "\(progress.peer?.title ?? "somebody") joined"))\n  words  "
            + "\(progress.words.joined(separator: " "))\n"
    }

    /// What a join waits for.
    public static func waiting(_ progress: JoinProgress) -> String {
        "waiting for \((progress.waitingFor ?? progress.stage.rawValue).madePrintable)\n"
    }

    /// What a join came to; trust is made, whatever it still waits for.
    public static func finished(_ progress: JoinProgress, _ presentation: Presentation) -> String {
        let name = progress.peer?.title ?? "the inviter"
        var text =
            presentation.ink(.good, "joined \(name)") + "\n"
            + "  words  \(progress.words.joined(separator: " "))\n"
        if progress.stage == .done {
            text += ReasonText.next("comity call \(name)/echo '{\"hi\":1}'", presentation)
        } else {
            text += "  still waiting for \((progress.waitingFor ?? "the link").madePrintable)\n"
            text += ReasonText.next("comity peer show \(name)", presentation)
        }
        return text
    }
}
