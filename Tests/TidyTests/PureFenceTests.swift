import Foundation
import Testing

/// What no machine may know. The compiler holds `Task`, clocks and actors (a flag in Package.swift); the rest
/// is held here.
@Suite("The pure fence")
struct PureFenceTests {
    static let modules = House.rows[0...2].flatMap(\.modules) + ["MeshSimulator"]

    static var files: [SourceFile] { SourceTree.sources.filter { modules.contains($0.module) } }

    @Test("no machine imports anything but machines")
    func importsStayInside() {
        for file in Self.files {
            for (imported, line) in file.imports {
                #expect(
                    Self.modules.contains(imported),
                    "\(file.path):\(line) imports \(imported): what decides must run without the world")
            }
        }
    }

    @Test("no machine knows tasks or clocks: time is an argument")
    func timeIsAnArgument() {
        expectNowhere(/\b(Task|TaskGroup|ContinuousClock|SuspendingClock|Clock|async|await|actor)\b/)
    }

    @Test("no machine draws from the system: chance comes from a seed")
    func chanceComesFromASeed() {
        expectNowhere(
            /\b(random\(|shuffled\b|shuffle\(|randomElement\b|Hasher\(\)|SystemRandomNumberGenerator\b)/
        )
    }

    @Test("no machine holds a class: what decides is a value that can be copied and compared")
    func machinesAreValues() {
        // The standard library's Encoder hands out containers that all write into one place.
        let exempt = ["Sources/MeshSimulator/SimulatedEncoder.swift"]
        expectNowhere(/\bclass\b/, except: exempt)
    }

    @Test("no machine stores a closure: it would be a way around inputs and effects")
    func noStoredClosures() {
        expectNowhere(
            /^\s*((public|\w*private|internal|static)(\(set\))?\s+)*(let|var)\s+\w+\s*:\s*(@|\(.*->)/
        )
    }

    @Test("no machine stores an existential: its state is closed and comparable")
    func noStoredExistentials() {
        let exempt = ["Sources/MeshSimulator/SimulatedEncoder.swift"]
        expectNowhere(
            /^\s*((public|\w*private|internal|static)(\(set\))?\s+)*(let|var)\s+\w+\s*:[^={]*\bany\b/,
            except: exempt)
    }

    @Test("no machine locks, prints or reads the environment")
    func noOtherWaysOut() {
        expectNowhere(
            /\b(Mutex|Atomic|print|debugPrint|getenv|CommandLine|ProcessInfo|nonisolated\(unsafe\))/)
    }

    private func expectNowhere(_ pattern: some RegexComponent, except exempt: [String] = []) {
        for file in Self.files where !exempt.contains(file.path) {
            expectNone(file.places(matching: pattern))
        }
    }
}
