import MeshBase

/// A page of metrics in the text format 0.0.4 of Prometheus: what a scraper reads.
///
/// It is written anew for each reader from what others count; nothing is kept here. How many samples a family
/// has is for whoever gives them to bound: labels are names of our own, or node IDs of trusted peers.
public struct MetricsPage: Sendable {
    /// What an HTTP answer that holds the page says of it.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var families: [MetricFamily] = []

    /// An empty page.
    public init() {}

    /// Puts a family behind the others. Each name once.
    public mutating func add(_ family: MetricFamily) {
        precondition(!families.contains { $0.name == family.name }, "\(family.name) is on the page already")
        families.append(family)
    }

    /// The page, ended by a line feed; a family without samples has its heading, so that it is known to be.
    public var text: String { families.map(\.text).joined() }
}

/// All samples of one name.
public struct MetricFamily: Sendable {
    /// What the numbers are.
    public enum Kind: String, Sendable {
        /// Only rises, from 0 at each start.
        case counter
        /// May fall.
        case gauge
        /// How many were at most so large.
        case histogram
    }

    /// `[a-z_]+`; a counter's ends with `_total`.
    public let name: String
    private let help: String
    private let kind: Kind
    private var lines: [String] = []

    /// - Parameter help: one sentence.
    public init(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// One number; labels by name, in the order in which they are to be read.
    public mutating func sample(_ value: MetricValue, _ labels: [(name: String, value: String)] = []) {
        lines.append("\(name)\(Self.text(of: labels)) \(value)")
    }

    /// A distribution.
    public mutating func distribution(
        _ histogram: DurationHistogram, _ labels: [(name: String, value: String)]
    ) {
        precondition(kind == .histogram, "\(name) is no histogram")
        var count: UInt64 = 0
        let bounds = histogram.bounds.map { MetricValue.seconds($0).description } + ["+Inf"]
        for (bucket, bound) in zip(histogram.buckets, bounds) {
            count += bucket
            lines.append("\(name)_bucket\(Self.text(of: labels + [(name: "le", value: bound)])) \(count)")
        }
        lines.append("\(name)_sum\(Self.text(of: labels)) \(MetricValue.seconds(histogram.total))")
        lines.append("\(name)_count\(Self.text(of: labels)) \(count)")
    }

    var text: String {
        (["# HELP \(name) \(Self.escaped(help, quotes: false))", "# TYPE \(name) \(kind.rawValue)"] + lines)
            .map { $0 + "\n" }.joined()
    }

    private static func text(of labels: [(name: String, value: String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
            + "}"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.append(character)
            }
        }
        return result
    }
}

/// A number as a scraper reads it.
public enum MetricValue: Sendable, CustomStringConvertible {
    case count(UInt64)
    case seconds(Duration)
    /// Days, which may be below zero.
    case days(Duration)

    public var description: String {
        switch self {
        case .count(let count): "\(count)"
        case .seconds(let duration): "\(Self.seconds(of: duration))"
        case .days(let duration): "\((Self.seconds(of: duration) / 0.864).rounded() / 100_000)"
        }
    }

    private static func seconds(of duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
