import Foundation

/// `comity-benchmarks [--json] [--list] [--rounds N] [FILTER]`; Scripts/benchmark has the words for people.
@main
enum Entry {
    static func main() {
        do {
            #if SHELLS
                if CommandLine.arguments.dropFirst() == ["--serve"] { try Resource.serve() }
            #endif
            try run(try Order(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("benchmark: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ order: Order) throws {
        let chosen = try comparisons().filter { comparison in
            order.filter.isEmpty || "\(comparison.area): \(comparison.title)".contains(order.filter)
        }
        try require(!chosen.isEmpty, "nothing is called \(order.filter); --list says what is there")
        if order.isList {
            for comparison in chosen { print("\(comparison.area): \(comparison.title)") }
            return
        }
        let runner = Runner(rounds: order.rounds)
        if !order.isJSON {
            print("\(Machine.words); \(order.rounds) rounds in turns; = is the baseline of the paragraph\n")
        }
        var findings: [Finding] = []
        for comparison in chosen {
            let found = try runner.run(comparison)
            findings += found
            if !order.isJSON {
                print(Table.text(of: found))
                // For whoever watches through a pipe.
                fflush(nil)
            }
        }
        guard order.isJSON else { return print(Machine.load) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(
            String(
                decoding: try encoder.encode(Facts(rounds: order.rounds, findings: findings)), as: UTF8.self))
    }

    /// All there is in this build.
    private static func comparisons() throws -> [Comparison] {
        var all =
            machineComparisons() + codecComparisons() + reconciliationComparisons()
            + meshComparisons() + insiderComparisons()
        #if SHELLS
            all += journalComparisons()
            all += try handshakeComparisons()
            all += sealingComparisons()
            all += callComparisons()
            all += floodComparisons()
        #endif
        return all
    }
}

/// What the command line asks for.
private struct Order {
    var isJSON = false
    var isList = false
    var rounds = 15
    var filter = ""

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let word = rest.popFirst() {
            switch word {
            case "--json": isJSON = true
            case "--list": isList = true
            case "--rounds":
                guard let number = rest.popFirst().flatMap(Int.init), number > 0 else {
                    throw Unfit("--rounds needs a number above zero")
                }
                rounds = number
            default:
                try require(!word.hasPrefix("-") && filter.isEmpty, "what is \(word)?")
                filter = word
            }
        }
    }
}

/// Everything for a program that reads it.
private struct Facts: Encodable {
    var machine = Machine.words
    var load = Machine.load
    let rounds: Int
    let findings: [Finding]
}

/// What it ran on: a figure says little without.
private enum Machine {
    static var words: String {
        let count = ProcessInfo.processInfo.activeProcessorCount
        return "\(count) processors, \(value(of: "model name", in: "/proc/cpuinfo")); \(load)"
    }

    static var load: String {
        let words = text("/proc/loadavg").split(separator: " ")
        return "load \(words.first ?? "unknown")"
    }

    private static func value(of key: String, in path: String) -> String {
        let line = text(path).split(separator: "\n").first { $0.hasPrefix(key) }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }

    private static func text(_ path: String) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            return ""
        }
    }
}
