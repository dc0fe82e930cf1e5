/// Some ways to spend time, measured in turns beside one that everybody knows.
struct Comparison {
    /// The part of the house: what a filter on the command line is held against, with the title.
    let area: String
    /// What is measured, and over what.
    let title: String
    /// What the others are divided by.
    let baseline: Sample
    /// What is measured.
    let others: [Sample]
    /// What besides time one wants to know of it, found once, for people: bytes, round trips.
    var note: (() throws -> String)?

    /// The baseline first.
    var samples: [Sample] { [baseline] + others }
}

/// One thing that is done again and again.
struct Sample {
    /// Does it so many times.
    typealias Body = (_ count: Int) throws -> Void
    /// Measures by itself: answers nanoseconds.
    typealias Telling = () throws -> Double

    /// What is measured.
    enum Subject {
        /// The time that it takes.
        case timed(Body)
        /// What it tells.
        case told(Telling)
    }

    let name: String
    /// By what its cost is counted.
    let stopwatch: Stopwatch
    /// How many of what the name says are done at once: the cost is divided by it.
    let portion: Int
    /// Makes the ground on which it stands, once, and answers what is measured. What that keeps must not grow
    /// from one time to the next, or the rounds are not of one thing.
    let prepare: () throws -> Subject

    init(
        _ name: String, by stopwatch: Stopwatch = .thread, portion: Int = 1,
        prepare: @escaping () throws -> Body
    ) {
        self.name = name
        self.stopwatch = stopwatch
        self.portion = portion
        self.prepare = { .timed(try prepare()) }
    }

    /// One that says itself what it found.
    init(told name: String, by stopwatch: Stopwatch = .wall, prepare: @escaping () throws -> Telling) {
        self.name = name
        self.stopwatch = stopwatch
        portion = 1
        self.prepare = { .told(try prepare()) }
    }

    /// One that needs no ground.
    init(
        _ name: String, by stopwatch: Stopwatch = .thread, portion: Int = 1, each: @escaping () throws -> Void
    ) {
        self.init(name, by: stopwatch, portion: portion) {
            { count in for _ in 0..<count { try each() } }
        }
    }
}

/// Keeps a value from being optimised away.
@_optimize(none)
func keep(_ value: some Any) {}

/// What must be so for a figure to mean anything.
struct Unfit: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Holds, or the figure is worth nothing.
func require(_ condition: Bool, _ complaint: @autoclosure () -> String) throws {
    guard condition else { throw Unfit(complaint()) }
}
