/// One way in which a trusted node does what no honest one does.
public enum InsiderManner: String, Sendable, CaseIterable, Hashable {
    /// It tells in others' names, and makes what others signed newer.
    case forges
    /// It says again what it said, also to others.
    case replays
    /// It passes nothing on and tells nothing.
    case withholds
    /// It signs two different heads with one number.
    case equivocates
    /// It dates its heads an hour ahead.
    case datesAhead = "dates ahead"
    /// It sends each document a hundred times, or a hundred heads for one, and calls ten times as often as
    /// the others.
    case floods
}
