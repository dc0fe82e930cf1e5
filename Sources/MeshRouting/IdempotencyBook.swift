import MeshBase

/// What a provider remembers of calls with an idempotency key, so that none is executed twice (protocol
/// section 8).
///
///     (unknown) ──begin──> started ──end──> ended ──24 h──> (forgotten)
///                             └─────────────24 h───────────────┘
///
/// *Started* is durable before the effect: a repeat that finds it without an end is told that the outcome
/// is unknown, also after a restart. A caller's table is bounded, in keys and in bytes of the answers that
/// are kept; when it is full, keys are refused rather than forgotten, because a forgotten key could be
/// executed again.
public struct IdempotencyBook: Sendable, Equatable {
    /// Keys of one caller.
    public static let keysPerCaller = 10_000
    /// Bytes of one caller's kept answers; the last one may go beyond.
    public static let bytesPerCaller = Limits.memoryPerPeer
    /// Bytes of an answer's body that are kept for repeats.
    public static let bodyMax = 4 * 1024

    /// Names one call for ever: a caller and a key.
    public struct Key: Hashable, Comparable, Sendable, Codable {
        /// The peer that called.
        public let caller: NodeID
        /// At most `Limits.idempotencyKey` bytes.
        public let key: String

        public init(caller: NodeID, key: String) {
            self.caller = caller
            self.key = key
        }

        public static func < (left: Self, right: Self) -> Bool {
            left.caller == right.caller ? left.key < right.key : left.caller < right.caller
        }
    }

    /// One key with what became of it: what the store keeps.
    public struct Entry: Equatable, Sendable {
        /// Whose it is.
        public let key: Key
        /// What was asked with it.
        public let request: RequestIdentity
        /// When it may be forgotten.
        public let until: WallTime
        /// How it ended; nil while that is not known.
        public let end: End?

        public init(key: Key, request: RequestIdentity, until: WallTime, end: End?) {
            self.key = key
            self.request = request
            self.until = until
            self.end = end
        }
    }

    /// How a call with a key ended.
    public struct End: Equatable, Sendable {
        /// HTTP status.
        public let status: UInt16
        /// The answer's headers.
        public let headers: [HeaderField]
        /// The answer's body; nil when it was longer than `bodyMax`.
        public let body: Octets?

        public init(status: UInt16, headers: [HeaderField], body: Octets?) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// Bytes that keeping it takes, near enough to bound it.
        var length: Int { HeaderFilter.length(of: headers) + (body?.bytes.count ?? 0) }
    }

    /// What a call with a key meets.
    public enum Finding: Equatable, Sendable {
        /// Nothing: it may be executed, once this entry is durable.
        case fresh(Entry)
        /// It ran before and ended so: answer that.
        case ended(End)
        /// It began before and its end is not known.
        case unknownOutcome
        /// The key came before with another request.
        case otherRequest
        /// The caller has too many keys, or too much is kept of their answers.
        case full
    }

    private var entries: [Key: Entry] = [:]
    /// When each is forgotten. By the monotonic clock: a wall clock that leaps ahead, and a home that starts
    /// under one, must not make a key be executed again.
    private var deadlines: [Key: Instant] = [:]
    private var counts: [NodeID: Int] = [:]
    /// Bytes of the answers kept for a caller.
    private var bytes: [NodeID: Int] = [:]
    private var ends = OrderedTable<Expiry, Key>()
    private var serial: UInt64 = 0

    private struct Expiry: Comparable, Sendable {
        let until: Instant
        let serial: UInt64
        static func < (left: Self, right: Self) -> Bool {
            (left.until, left.serial) < (right.until, right.serial)
        }
    }

    public init() {}

    /// How many keys are remembered.
    public var count: Int { entries.count }

    /// Begins a call with `key`, unless it began before.
    public mutating func begin(_ key: Key, request: RequestIdentity, at now: Moment) -> Finding {
        forget(before: now.instant)
        if let entry = entries[key] {
            guard entry.request == request else { return .otherRequest }
            return entry.end.map(Finding.ended) ?? .unknownOutcome
        }
        guard counts[key.caller, default: 0] < Self.keysPerCaller,
            bytes[key.caller, default: 0] < Self.bytesPerCaller
        else { return .full }
        let entry = Entry(key: key, request: request, until: now.wall + Limits.idempotencyLife, end: nil)
        insert(entry, until: now.instant + Limits.idempotencyLife)
        return .fresh(entry)
    }

    /// Keeps how the call with `key` ended; nil when the key is not known or has ended.
    public mutating func end(_ key: Key, _ end: End) -> Entry? {
        guard let entry = entries[key], entry.end == nil else { return nil }
        let ended = Entry(key: key, request: entry.request, until: entry.until, end: end)
        entries[key] = ended
        bytes[key.caller, default: 0] += end.length
        return ended
    }

    /// The call with `key` certainly had no effect: the key is free again. What is returned is over, and
    /// takes the place of what the store keeps; nil when the key is not known or has ended.
    public mutating func withdraw(_ key: Key) -> Entry? {
        guard let entry = entries[key], entry.end == nil else { return nil }
        remove(key)
        return Entry(key: key, request: entry.request, until: WallTime(milliseconds: 0), end: nil)
    }

    /// At start: what the store kept, for the life of a key from now on. What was withdrawn is over.
    public mutating func restore(_ restored: [Entry], at now: Instant) {
        for entry in restored where entries[entry.key] == nil && entry.until > WallTime(milliseconds: 0) {
            insert(entry, until: now + Limits.idempotencyLife)
        }
    }

    private mutating func insert(_ entry: Entry, until: Instant) {
        entries[entry.key] = entry
        deadlines[entry.key] = until
        counts[entry.key.caller, default: 0] += 1
        if let end = entry.end { bytes[entry.key.caller, default: 0] += end.length }
        serial += 1
        ends[Expiry(until: until, serial: serial)] = entry.key
    }

    private mutating func forget(before now: Instant) {
        while let first = ends.keys.first, first.until <= now, let key = ends.remove(first) {
            // A key that was withdrawn and begun anew has a later end of its own.
            if let until = deadlines[key], until <= now { remove(key) }
        }
    }

    private mutating func remove(_ key: Key) {
        deadlines[key] = nil
        if let end = entries.removeValue(forKey: key)?.end { bytes[key.caller, default: 0] -= end.length }
        counts[key.caller, default: 1] -= 1
        if counts[key.caller] == 0 {
            counts[key.caller] = nil
            bytes[key.caller] = nil
        }
    }
}
