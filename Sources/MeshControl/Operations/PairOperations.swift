import MeshBase

/// Opens a window for pairing by words, in place of one that is open. It ends after ten minutes, and 30 s
/// after the last `AwaitPairing`.
public enum OpenPairing: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = PairReport
    public static let path = "pair/open"
}

/// Waits until something changes, or the time is over; and keeps the window open.
public enum AwaitPairing: ControlOperation {
    /// Which window, what the client knows of it, and how long to wait.
    public struct Request: Codable, Equatable, Sendable {
        /// As `PairReport` named it.
        public var window: Int64
        /// Answered as soon as it is otherwise. Nil: answered at once.
        public var known: PairReport?
        /// At most `ControlLimits.wait`.
        public var waitMilliseconds: Int64
        public init(window: Int64, known: PairReport?, waitMilliseconds: Int64) {
            self.window = window
            self.known = known
            self.waitMilliseconds = waitMilliseconds
        }
    }
    public typealias Response = PairReport
    public static let path = "pair/await"
}

/// Dials the side that the operator picked, again and again until it is there and has its window open.
public enum DialPairing: ControlOperation {
    /// Which window, and where to dial.
    public struct Request: Codable, Equatable, Sendable {
        /// As `PairReport` named it.
        public var window: Int64
        /// In the order in which they are tried; 1 ... `Limits.endpointsPerPeer`.
        public var to: [Endpoint]
        public init(window: Int64, to: [Endpoint]) {
            self.window = window
            self.to = to
        }
    }
    public typealias Response = PairReport
    public static let path = "pair/dial"
}

/// The operator's yes or no to the words on the screen.
public enum AnswerPairing: ControlOperation {
    /// Which window, which words, and what of them.
    public struct Request: Codable, Equatable, Sendable {
        /// As `PairReport` named it.
        public var window: Int64
        /// The words that were seen: a yes to others than those shown now counts nothing.
        public var words: [String]
        /// Whether they are those of the other screen.
        public var accept: Bool
        public init(window: Int64, words: [String], accept: Bool) {
            self.window = window
            self.words = words
            self.accept = accept
        }
    }
    public typealias Response = PairReport
    public static let path = "pair/answer"
}

/// Ends the window, and the try in it.
public enum ClosePairing: ControlOperation {
    /// Which window; another one stays.
    public struct Request: Codable, Equatable, Sendable {
        /// As `PairReport` named it.
        public var window: Int64
        public init(window: Int64) { self.window = window }
    }
    public typealias Response = PairReport
    public static let path = "pair/close"
}
