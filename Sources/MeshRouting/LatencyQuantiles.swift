import MeshBase

/// How the times of a way's answers are spread: which time so many in a hundred of them did not take longer
/// than (Dean and Barroso, "The Tail at Scale", 2013, send a second request after the 95th percentile).
///
/// Counts in buckets, eight to each doubling from 64 microseconds to more than an hour, so a percentile is at
/// most an eighth above what was measured, and exact in whole numbers. Of long ago half is forgotten
/// whenever `windowMax` answers are counted.
public struct LatencyQuantiles: Sendable, Equatable {
    /// With fewer answers than these nothing is said.
    public static let answersMin = 20
    static let windowMax = 1_024

    private static let leastExponent = 6
    private static let greatestExponent = 32
    private var counts = [UInt16](
        repeating: 0, count: (greatestExponent - leastExponent + 1) * 8)
    private(set) var total = 0

    public init() {}

    /// Takes the time of one answer.
    public mutating func observe(_ duration: Duration) {
        counts[Self.bucket(of: duration)] += 1
        total += 1
        guard total >= Self.windowMax else { return }
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += Int(counts[index])
        }
    }

    /// The time that `percent` of a hundred answers did not take longer than; nil while too few are known.
    /// - Parameter percent: 1 ... 99.
    public func value(_ percent: Int) -> Duration? {
        guard total >= Self.answersMin else { return nil }
        var left = (total * percent + 99) / 100
        for (index, count) in counts.enumerated() {
            left -= Int(count)
            if left <= 0 { return Self.bound(of: index) }
        }
        return nil
    }

    private static func bucket(of duration: Duration) -> Int {
        let microseconds = UInt64(max(duration.wholeNanoseconds / 1000, 1 << leastExponent))
        let exponent = 63 - microseconds.leadingZeroBitCount
        guard exponent <= greatestExponent else { return (greatestExponent - leastExponent) * 8 + 7 }
        return (exponent - leastExponent) * 8 + Int(microseconds >> UInt64(exponent - 3) & 7)
    }

    /// What every time in the bucket is below.
    private static func bound(of bucket: Int) -> Duration {
        let exponent = bucket / 8 + leastExponent
        return .microseconds(Int64(8 + bucket % 8 + 1) << Int64(exponent - 3))
    }
}
