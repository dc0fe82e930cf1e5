import MeshAgreements
import MeshBase
import MeshNode

/// No side lets more calls pass in a day or month than the agreement says, over crashes, torn writes and
/// clocks: what counts is what a run really sent or served.
struct UsageCheck: Sendable {
    /// Which call of which run.
    enum Subject: Hashable, Sendable {
        case sent(Int, AttemptID)
        case served(Int, InboundKey)
    }

    private struct Window: Comparable, Sendable {
        let host: Int
        let agreement: AgreementID
        let period: CalendarPeriod
        let number: Int64

        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.agreement, left.period.rawValue, left.number)
                < (right.host, right.agreement, right.period.rawValue, right.number)
        }
    }

    private struct Order: Sendable {
        let windows: [(Window, quota: Int64)]
    }

    private var ordered: [Subject: Order] = [:]
    private var passed = OrderedTable<Window, Int64>()
    /// Calls that passed under an agreement with quotas.
    private(set) var counted = 0

    /// A desk decided that a call passes, by this clock; it does not pass before the store has its count.
    mutating func ordered(_ subject: Subject, under agreement: Agreement, host: Int, at wall: WallTime) {
        guard let limits = agreement.limits else { return }
        var windows: [(Window, quota: Int64)] = []
        for (period, quota) in [(CalendarPeriod.day, limits.callsPerDay), (.month, limits.callsPerMonth)] {
            guard let quota else { continue }
            let number = period.number(at: wall)
            windows.append(
                (Window(host: host, agreement: agreement.id, period: period, number: number), quota))
        }
        ordered[subject] = Order(windows: windows)
    }

    /// The call passes. Answers which quotas that breaks.
    mutating func performed(_ subject: Subject) -> [String] {
        guard let order = ordered.removeValue(forKey: subject), !order.windows.isEmpty else { return [] }
        counted += 1
        return order.windows.compactMap { window, quota in
            let count = (passed[window] ?? 0) + 1
            passed[window] = count
            guard count > quota else { return nil }
            let name = window.period.text(of: window.number)
            return "host \(window.host): \(count) calls of \(quota) in \(name) under \(window.agreement)"
        }
    }

    /// A run is over; what it had ordered does not happen.
    mutating func end(_ run: RunID) {
        ordered = ordered.filter { subject, _ in
            switch subject {
            case .sent(let host, _), .served(let host, _): host != run.host
            }
        }
    }

    /// A host has lost its memory, and with it its counts.
    mutating func forget(_ host: Int) { passed.removeAll { window, _ in window.host == host } }
}
