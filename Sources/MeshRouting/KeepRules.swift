import MeshBase

/// What may be kept of an answer, for how long, and which requests may be answered from memory (RFC 9111;
/// map 107 for spans of time).
///
/// The provider says of each answer for how long it may be kept, in a field that only the two agents speak;
/// the consumer keeps it no longer than that. Both judge by what is told here.
public enum KeepRules {
    /// The field of an answer in which the provider's agent says for how many milliseconds it may be kept.
    public static let field = "comity-keep-for"
    /// The field in which a gateway says how it came by an answer: `hit`, `stale` or `miss`.
    public static let resultField = "comity-cache"

    /// For how long an answer may be kept.
    public struct Leave: Sendable, Equatable {
        /// How long it is fresh; above zero.
        public var time: Duration
        /// Whether it may be given when that is over and nobody can be asked.
        public var mayBeStale: Bool

        public init(_ time: Duration, mayBeStale: Bool = true) {
            self.time = time
            self.mayBeStale = mayBeStale
        }
    }

    // MARK: What the provider says

    /// For how long the answers to a request may be kept; nil: not at all.
    /// - Parameters:
    ///   - query: the request's, whose span counts where `time` is by range.
    public static func time(_ time: KeepTime, for query: String?, at now: WallTime) -> Duration? {
        switch time {
        case .seconds(let seconds): .seconds(seconds)
        case .byRange: query.flatMap(TimeSpan.init(query:)).map { $0.keepTime(at: now) }
        }
    }

    /// What of that an answer allows: none where its resource forbids it, or says that it is for one only
    /// (RFC 9111 sections 3 and 5.2.2). Both ends ask, since neither believes the other.
    /// - Parameter headers: the resource's.
    public static func leave(_ time: Duration, ofStatus status: UInt16, headers: [HeaderField]) -> Leave? {
        guard [200, 203, 204, 404, 410].contains(status) else { return nil }
        var leave = Leave(time)
        var hasAge = false
        var hasEnd = false
        var age: Int64 = 0
        for header in headers {
            switch header.name {
            case "set-cookie", "www-authenticate", "content-range": return nil
            case "vary":
                guard let names = elements(of: header.value), !names.contains("*") else { return nil }
            case "expires": hasEnd = true
            case "age":
                guard let seconds = number(header.value) else { return nil }
                age = max(age, seconds)
            case "cache-control":
                guard let directives = elements(of: header.value) else { return nil }
                for directive in directives {
                    let name = directive.prefix { $0 != "=" }
                    switch name {
                    case "no-store", "private", "no-cache": return nil
                    case "must-revalidate", "proxy-revalidate": leave.mayBeStale = false
                    case "max-age", "s-maxage":
                        guard let seconds = number(directive.dropFirst(name.count + 1)) else { return nil }
                        hasAge = true
                        leave.time = min(leave.time, .seconds(seconds))
                        // RFC 9111 section 5.2.2.10.
                        if name == "s-maxage" { leave.mayBeStale = false }
                    default: break
                    }
                }
            default: break
            }
        }
        leave.time -= .seconds(age)
        // A date would have to be believed against this clock; who wants to be kept says an age.
        guard hasAge || !hasEnd, leave.time > .zero else { return nil }
        return leave
    }

    /// The same, as a field of the answer.
    public static func saying(_ leave: Leave) -> HeaderField {
        HeaderField(field, "\(leave.time.wholeMilliseconds)\(leave.mayBeStale ? "" : freshOnly)")
    }

    // MARK: What the consumer keeps

    /// For how long the provider lets an answer be kept, at most `Limits.keptLife`; nil: not at all.
    /// - Parameter headers: as they came: the field is the last of them, or not there.
    public static func leave(saidIn headers: [HeaderField]) -> Leave? {
        guard let last = headers.last, last.name == field else { return nil }
        let isFreshOnly = last.value.hasSuffix(freshOnly)
        guard let milliseconds = number(last.value.dropLast(isFreshOnly ? freshOnly.count : 0)),
            milliseconds > 0
        else { return nil }
        return Leave(min(.milliseconds(milliseconds), Limits.keptLife), mayBeStale: !isFreshOnly)
    }

    /// Whether an answer to such a request may be kept, or given again: it is a GET without a body, it stands
    /// for no other answer than the whole one, and it carries no proof of who asks but what is in the key.
    public static func mayKeep(method: String, body: RequestBody, headers: [HeaderField]) -> Bool {
        guard method == "GET", body == .none else { return false }
        return headers.allSatisfy { header in
            switch header.name {
            case "range", "authorization", "cookie", "if-match", "if-none-match", "if-modified-since",
                "if-unmodified-since", "if-range":
                false
            case "cache-control": elements(of: header.value)?.contains("no-store") == false
            default: true
            }
        }
    }

    /// Whether an application wants an answer of now (RFC 9111 section 5.2.1.4).
    public static func wantsNew(_ headers: [HeaderField]) -> Bool {
        headers.contains { header in
            guard header.name == "cache-control" || header.name == "pragma" else { return false }
            return elements(of: header.value)?.contains { $0 == "no-cache" || $0 == "max-age=0" } ?? true
        }
    }

    /// The request's fields, beside those of negotiation, by which an answer was chosen: what its `Vary`
    /// names (RFC 9111 section 4.1), rising. Nil where that is all of them, or more than `variesMax`.
    static func names(variedBy answer: [HeaderField]) -> [String]? {
        var named: [String] = []
        for header in answer where header.name == "vary" {
            guard let names = elements(of: header.value) else { return nil }
            named += names
        }
        guard named.count <= variesMax, !named.contains("*") else { return nil }
        return Set(named).subtracting(negotiated).sorted()
    }

    /// These fields, as a request has them.
    static func values(of names: [String], in request: [HeaderField]) -> [[String]] {
        names.map { name in request.filter { $0.name == name }.map(\.value) }
    }

    /// The fields by which an answer is negotiated, as a request has them.
    static func negotiating(_ request: [HeaderField]) -> [HeaderField] {
        request.filter { negotiated.contains($0.name) }
    }

    private static let negotiated: Set<String> = ["accept", "accept-encoding", "accept-language"]
    private static let variesMax = 8

    private static let freshOnly = " fresh"
    /// Bytes of a list that is looked at.
    private static let listMax = 1_024

    /// The elements of a comma-separated list, in lower case, without blanks; nil where it is too long to be
    /// looked at.
    private static func elements(of list: String) -> [String]? {
        guard list.utf8.count <= listMax else { return nil }
        return list.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
    }

    private static func number(_ text: some StringProtocol) -> Int64? {
        guard (1...15).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}

/// The span of time that a request asks about: its query's `from` and `to`, or `start` and `end`.
struct TimeSpan: Equatable {
    let from: WallTime
    let to: WallTime

    /// Nil where the query names none, or one that cannot be read.
    /// - Parameter query: RFC 3339, or seconds or milliseconds since 1970; `%3A`, `%2B` and `+` as queries
    ///   write them.
    init?(query: String) {
        guard query.utf8.count <= Self.queryMax else { return nil }
        var values: [String: String] = [:]
        for pair in query.split(separator: "&").prefix(64) {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            // What stands twice is read by each backend in its own way.
            guard values.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else { return nil }
        }
        guard let from = values["from"] ?? values["start"], let to = values["to"] ?? values["end"],
            let from = Self.time(from), let to = Self.time(to), from <= to
        else { return nil }
        (self.from, self.to) = (from, to)
    }

    /// The longer the span, the less of it changes; while it is growing, a minute.
    func keepTime(at now: WallTime) -> Duration {
        let time: Duration =
            switch to - from {
            case ...Duration.seconds(3_600): .seconds(60)
            case ...Duration.seconds(24 * 3_600): .seconds(300)
            case ...Duration.seconds(7 * 24 * 3_600): .seconds(1_800)
            default: .seconds(7_200)
            }
        return to + time > now ? .seconds(60) : time
    }

    /// Bytes of a query that is looked at.
    private static let queryMax = 1_024

    private static func time(_ text: String) -> WallTime? {
        guard text.utf8.count <= 64 else { return nil }
        if let number = Int64(text) {
            guard number >= 0 else { return nil }
            // Seconds reach 10^11 in the year 5138; milliseconds passed it in 1973.
            let milliseconds = number < 100_000_000_000 ? number * 1_000 : number
            return WallTime(milliseconds: milliseconds)
        }
        var plain = ""
        var rest = Substring(text)
        while let first = rest.first {
            let (character, length): (Character, Int) =
                switch rest.prefix(3).lowercased() {
                case "%3a": (":", 3)
                case "%2b": ("+", 3)
                default: (first, 1)
                }
            plain.append(character)
            rest = rest.dropFirst(length)
        }
        return RFC3339.time(plain)
    }
}
