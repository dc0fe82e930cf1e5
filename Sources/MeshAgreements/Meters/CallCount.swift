import MeshBase

/// The calls of one agreement in the days, or in the months, in which there were some of late.
///
///     calls  0 ───────────── used ────── kept ────── bound ─────────── quota
///                            passed      durable     ordered to be kept
///
/// A call passes only once the store keeps a bound at or above its number. The bound goes ahead of the calls
/// in blocks, so that few calls wait for the disk; a crash takes what of a block was not used.
///
/// Windows are told apart by their number, and the few newest are kept. A call counts in the window of its
/// date: a date to which the clock comes back finds what was used there. A date before all that is kept
/// counts in the oldest; once the table is full it gives nothing, for what was used there is forgotten. So no
/// clock that is set back gives calls anew, and none that ran ahead takes the calls of the days between.
struct CallCount: Equatable, Sendable {
    /// One day or month.
    struct Window: Equatable, Sendable {
        let number: Int64
        /// Calls that passed.
        var used: Int64
        /// What the store was told last to keep as used; never below `used` once the call that is counted may
        /// pass.
        var bound: Int64
        /// What the store keeps as used; at most `bound`.
        var kept: Int64
        /// The highest share of the quota that was told, in percent; 0: none.
        var told: Int64
    }

    /// Rising, at most `AgreementLimits.countedWindows`.
    private(set) var windows: [Window] = []

    /// What counts at the date of `number`: the window that is kept, or an empty one; of a date that gives
    /// nothing the oldest, as used up.
    func window(for number: Int64) -> Window {
        if let index = place(of: number) {
            var window = windows[index]
            if number < window.number, windows.count >= AgreementLimits.countedWindows { window.used = .max }
            return window
        }
        return Window(number: number, used: 0, bound: 0, kept: 0, told: 0)
    }

    /// Counts one call, which the caller found to be within `quota`.
    /// - Returns: whether the store must keep the bounds first, or had better soon.
    mutating func add(at number: Int64, quota: Int64) -> MeterUrgency? {
        let index = open(number)
        let block = max(1, min(quota / 100, AgreementLimits.meterBlock))
        windows[index].used += 1
        let used = windows[index].used
        if used > windows[index].bound {
            windows[index].bound = max(used, min(quota, used + block - 1))
            return .awaited
        }
        if used > windows[index].kept { return .awaited }
        if windows[index].bound - used < block / 2, windows[index].bound < quota {
            windows[index].bound = min(quota, windows[index].bound + block)
            return .ahead
        }
        return nil
    }

    /// Notes that this share of the quota was told.
    mutating func tell(_ percent: Int64, at number: Int64) {
        guard let index = place(of: number) else { return }
        windows[index].told = percent
    }

    /// What the store is to keep.
    var spent: [MeterRecord.Spent] {
        windows.map { MeterRecord.Spent(window: $0.number, calls: $0.bound, told: $0.told) }
    }

    /// The store keeps this.
    mutating func keep(_ spent: [MeterRecord.Spent]) {
        for entry in spent {
            guard let index = windows.firstIndex(where: { $0.number == entry.window }) else { continue }
            windows[index].kept = max(windows[index].kept, entry.calls)
        }
    }

    /// As the store kept it: what it was told to keep counts as used.
    init(_ spent: [MeterRecord.Spent] = []) {
        windows = spent.sorted { $0.window < $1.window }.suffix(AgreementLimits.countedWindows).map {
            Window(number: $0.window, used: $0.calls, bound: $0.calls, kept: $0.calls, told: $0.told)
        }
    }

    private func place(of number: Int64) -> Int? {
        guard let oldest = windows.first else { return nil }
        return number < oldest.number ? 0 : windows.lastIndex { $0.number == number }
    }

    private mutating func open(_ number: Int64) -> Int {
        if let index = place(of: number) { return index }
        if windows.count >= AgreementLimits.countedWindows { windows.removeFirst() }
        let index = windows.firstIndex { $0.number > number } ?? windows.count
        windows.insert(Window(number: number, used: 0, bound: 0, kept: 0, told: 0), at: index)
        return index
    }
}

/// How soon the store must keep a record.
public enum MeterUrgency: Sendable, Equatable, Comparable {
    /// Nothing waits for it.
    case ahead
    /// Before anything of the call that was counted happens.
    case awaited
}

/// Whose calls are counted together: one agreement's, through all its versions.
public struct MeterKey: Hashable, Comparable, Sendable, Codable {
    /// The agreement's own id, which its offerer chose: others may have chosen the same.
    public let agreement: AgreementID
    /// Who provides.
    public let source: AgreementParty
    /// Who consumes.
    public let target: AgreementParty

    init(_ agreement: Agreement) {
        (self.agreement, source, target) = (agreement.id, agreement.source, agreement.target)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.agreement, left.source, left.target) < (right.agreement, right.source, right.target)
    }
}

/// What the store keeps of one agreement's meter: never less than what passed.
public struct MeterRecord: Equatable, Hashable, Sendable, Codable {
    /// Whose meter it is.
    public let key: MeterKey
    /// By day of UTC, rising.
    public let days: [Spent]
    /// By month of UTC, rising.
    public let months: [Spent]

    /// One day or month.
    public struct Spent: Equatable, Hashable, Sendable, Codable {
        /// `CalendarPeriod.number`.
        public let window: Int64
        /// Calls that may have passed.
        public let calls: Int64
        /// The highest share of the quota that was told, in percent.
        public let told: Int64
    }
}
