/// So many times, or one part of so many: what a label does to the weight of a provider that bears it.
///
/// Written `10` or `1/4`, and kept so.
public struct WeightFactor: Hashable, Sendable {
    /// 1 ... `Limits.routeWeight`; 1 where `parts` is more.
    public let times: Int64
    /// 1 ... `Limits.routeWeight`; 1 where `times` is more.
    public let parts: Int64

    /// - Precondition: within its bounds.
    public init(times: Int64) {
        precondition((1...Limits.routeWeight).contains(times), "a factor of \(times)")
        self.times = times
        parts = 1
    }

    /// Reads `10` or `1/4`; nil when it is neither, or out of its bounds.
    public init?(_ text: some StringProtocol) {
        let isPart = text.hasPrefix("1/")
        let digits = isPart ? text.dropFirst(2) : text[...]
        guard digits.utf8.first.map({ (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }) == true,
            let number = Int64(digits), (1...Limits.routeWeight).contains(number)
        else { return nil }
        (times, parts) = isPart ? (1, number) : (number, 1)
    }
}

extension WeightFactor: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        left.times * right.parts < right.times * left.parts
    }
}

extension WeightFactor: CustomStringConvertible {
    public var description: String { parts == 1 ? "\(times)" : "1/\(parts)" }
}

extension WeightFactor: Codable {
    /// Throws `DecodingError` for what is no factor.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let factor = WeightFactor(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "1 to \(Limits.routeWeight), or 1/2 to 1/\(Limits.routeWeight)")
        }
        self = factor
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// That providers of a resource are preferred, or avoided, for a label that their resource bears: where they
/// are, what they cost.
public struct LabelPreference: Hashable, Sendable, Codable {
    /// Key and value, exactly.
    public let label: ResourceLabel
    /// By which the provider's weight is multiplied.
    public let factor: WeightFactor

    public init(label: ResourceLabel, factor: WeightFactor) {
        self.label = label
        self.factor = factor
    }
}

extension LabelPreference: CustomStringConvertible {
    /// `region=eu:10`.
    public var description: String { "\(label.key)=\(label.value):\(factor)" }
}

/// Who comes first among the providers that may take a call.
public enum RouteOrder: String, Hashable, Sendable, Codable, CaseIterable {
    /// This node, where it provides the resource.
    case localFirst = "local-first"
    /// Nobody: this node is weighed like the others.
    case spread
}
