import Foundation
import FuzzTargets

/// The program that libFuzzer drives, whose runtime has `main`: `COMITY_FUZZ` names the target.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        _ = try Errand.target.read(bytes)
    } catch {
        FileHandle.standardError.write(Data("BROKE \(Errand.target.name): \(error)\n".utf8))
        abort()
    }
    return 0
}

/// Does what needs no fuzzing and ends the process: lists targets, unpacks and packs kept inputs.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>?, _ arguments: UnsafeMutableRawPointer?
) -> Int32 {
    do {
        guard try !Errand.run() else { exit(0) }
        _ = Errand.target
        return 0
    } catch {
        FileHandle.standardError.write(Data("fuzz: \(error)\n".utf8))
        exit(1)
    }
}

enum Errand {
    static let environment = ProcessInfo.processInfo.environment

    static let target: FuzzTarget = {
        let name = environment["COMITY_FUZZ"] ?? ""
        guard let target = FuzzTargets.all.first(where: { $0.name == name }) else {
            FileHandle.standardError.write(Data("fuzz: no target is called \"\(name)\"\n".utf8))
            exit(2)
        }
        return target
    }()

    /// Whether there was an errand, which is done.
    static func run() throws -> Bool {
        guard let errand = environment["COMITY_FUZZ_ERRAND"] else { return false }
        let folder = URL(fileURLWithPath: environment["COMITY_FUZZ_FOLDER"] ?? ".")
        switch errand {
        case "list": for target in FuzzTargets.all { print(target.name, target.longest) }
        case "unpack": try unpack(into: folder)
        case "pack": try pack(from: folder, budget: Int(environment["COMITY_FUZZ_BUDGET"] ?? "") ?? 4_096)
        case "keep": try keep(folder, as: environment["COMITY_FUZZ_REASON"] ?? "broke")
        default: throw Complaint(description: "no errand is called \(errand)")
        }
        return true
    }

    /// What the encoders write now, and what is kept, a file each.
    private static func unpack(into folder: URL) throws {
        let inputs = try target.samples() + FuzzCorpus.kept(of: target).entries.map(\.bytes)
        for (number, bytes) in inputs.enumerated() {
            try Data(bytes).write(to: folder.appendingPathComponent("kept-\(number)"))
        }
    }

    /// Keeps of the inputs in `folder`, which libFuzzer has merged, the shortest within `budget` bytes; what
    /// once broke something stays.
    private static func pack(from folder: URL, budget: Int) throws {
        var entries = try FuzzCorpus.kept(of: target).entries.filter { $0.reason != "reached" }
        let samples = Set(try target.samples() + entries.map(\.bytes))
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let inputs = try files.map { Array(try Data(contentsOf: $0)) }.filter { !samples.contains($0) }
        var left = budget
        for bytes in inputs.sorted(by: { ($0.count, $0.hashText) < ($1.count, $1.hashText) }) {
            left -= bytes.count
            guard left >= 0 else { break }
            entries.append(FuzzCorpus.Entry(reason: "reached", bytes: bytes))
        }
        try write(entries)
    }

    /// Adds the input in the file `input` as one that broke something.
    private static func keep(_ input: URL, as reason: String) throws {
        let entry = FuzzCorpus.Entry(reason: reason, bytes: Array(try Data(contentsOf: input)))
        try write(try FuzzCorpus.kept(of: target).entries.filter { $0.bytes != entry.bytes } + [entry])
    }

    private static func write(_ entries: [FuzzCorpus.Entry]) throws {
        let file = FuzzCorpus.folder.appendingPathComponent(target.name + ".txt")
        let text = entries.map(FuzzCorpus.line).joined()
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
}

struct Complaint: Error, CustomStringConvertible {
    let description: String
}

extension [UInt8] {
    /// Orders inputs of one length.
    fileprivate var hashText: String { map { String($0, radix: 16) }.joined(separator: " ") }
}
