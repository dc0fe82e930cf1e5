import MeshBase

/// What `comity doctor` prints.
public enum DoctorText {
    /// One line for each finding, its facts and the next command beneath what needs one.
    public static func render(_ report: DoctorReport, _ presentation: Presentation) -> String {
        var text = ""
        for finding in report.findings {
            let level = finding.level.rawValue.padded(to: 8)
            text += presentation.ink(ink(of: finding.level), level)
            text += finding.area.rawValue.padded(to: 13) + finding.what.madePrintable + "\n"
            guard finding.level != .ok else { continue }
            for fact in finding.facts { text += "            \(fact.name): \(fact.value.madePrintable)\n" }
            if let next = finding.next { text += "          " + ReasonText.next(next, presentation) }
        }
        return text
    }

    private static func ink(of level: DoctorFinding.Level) -> Ink {
        switch level {
        case .ok: .good
        case .advice: .warning
        case .trouble: .bad
        }
    }
}

extension String {
    /// With blanks behind it up to this width, and at least one.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
