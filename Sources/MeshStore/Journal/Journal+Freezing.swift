extension Journal {
    /// One file of the journal as it was at one moment.
    public struct FrozenSegment: Equatable, Sendable {
        /// The file's name in the journal's folder.
        public let name: String
        /// How much of it was there. More may be appended to the last one; what was there never changes.
        public let lengthInBytes: Int
    }

    /// Asks `body` while nothing can be appended, with the journal as it is: what it looks at meanwhile is of
    /// one moment with it. It is to be short, and must not use the journal.
    func frozen<Result>(_ body: ([FrozenSegment]) throws -> Result) rethrows -> Result {
        try state.withLock { state in
            try body(
                state.writer.segments.map {
                    FrozenSegment(name: $0.name.description, lengthInBytes: $0.length)
                })
        }
    }
}
