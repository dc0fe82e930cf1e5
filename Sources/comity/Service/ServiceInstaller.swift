import Foundation
import Glibc
import MeshBase
import MeshControl

/// Puts a unit where systemd finds it and lets it start with the machine, or takes both away again.
struct ServiceInstaller {
    let scope: ServiceUnit.Scope
    /// Before every path: `/` but for tests and images.
    let root: String

    /// Where units of this scope lie.
    var folder: String {
        switch scope {
        case .system: return root + "/etc/systemd/system"
        case .user:
            let environment = ProcessInfo.processInfo.environment
            let own = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            return root + (own ?? (environment["HOME"] ?? "/root") + "/.config") + "/systemd/user"
        }
    }

    var path: String { folder + "/" + ServiceUnit.name }

    /// Writes the unit, enables it, and starts it where this machine runs systemd.
    /// - Returns: what was done, a line each.
    func install(_ unit: ServiceUnit) throws -> [String] {
        if let found = try contents(), !found.hasPrefix(ServiceUnit.mark) {
            throw ControlFailure(
                .refused, code: "unit-of-others", message: "a unit of this name is there that is not ours",
                facts: [Fact("unit", path)])
        }
        do {
            try FileManager.default.createDirectory(
                atPath: folder + "/\(unit.target).wants", withIntermediateDirectories: true)
            try Data(unit.text.utf8).write(to: URL(filePath: path), options: .atomic)
            // Writing beside and renaming keeps the mode of a new file: systemd reads it whoever made it.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            let link = wanted(by: unit.target)
            unlink(link)
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "../" + ServiceUnit.name)
        } catch {
            throw failed("written", error)
        }
        var done = ["\(path) is written", "it starts with \(unit.target)"]
        done +=
            systemctl(["daemon-reload"]) && systemctl(["restart", ServiceUnit.name])
            ? ["it is started"] : ["systemd does not run here, so nothing was started"]
        return done + exposure()
    }

    /// Stops the service and removes what `install` made; the home stays.
    func uninstall() throws -> [String] {
        guard let found = try contents() else {
            throw ControlFailure(
                .notFound, code: "no-unit", message: "there is no such unit", facts: [Fact("unit", path)],
                next: "comity service install")
        }
        guard found.hasPrefix(ServiceUnit.mark) else {
            throw ControlFailure(
                .refused, code: "unit-of-others", message: "the unit is not one that we made",
                facts: [Fact("unit", path)])
        }
        let wasStopped = systemctl(["stop", ServiceUnit.name])
        for target in ["multi-user.target", "default.target"] {
            unlink(wanted(by: target))
            // Only where we made it and nobody else uses it.
            rmdir(folder + "/\(target).wants")
        }
        guard unlink(path) == 0 else { throw failed("removed", POSIXError(.init(rawValue: errno) ?? .EIO)) }
        _ = systemctl(["daemon-reload"])
        return ["\(path) is removed"] + (wasStopped ? ["the service is stopped"] : [])
    }

    /// How much the unit leaves open, as systemd itself judges it; nothing where it cannot be asked.
    private func exposure() -> [String] {
        guard scope == .system,
            let said = output("systemd-analyze", ["security", "--offline=yes", "--no-pager", path]),
            let line = said.split(separator: "\n").last(where: { $0.contains("exposure level") })
        else { return [] }
        return [line.trimmingCharacters(in: CharacterSet(charactersIn: "→ "))]
    }

    private func wanted(by target: String) -> String { folder + "/\(target).wants/" + ServiceUnit.name }

    private func contents() throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw failed("read", error)
        }
    }

    private func failed(_ what: String, _ error: any Error) -> ControlFailure {
        ControlFailure(
            .refused, code: "unit-not-\(what)", message: "the unit cannot be \(what)",
            facts: [Fact("unit", path), Fact("cause", error.localizedDescription)],
            next: scope == .system && geteuid() != 0 ? "comity service install --user" : nil)
    }

    /// False where no manager answers; nothing is asked of one for another root.
    private func systemctl(_ arguments: [String]) -> Bool {
        guard root.isEmpty, access("/run/systemd/system", F_OK) == 0 else { return false }
        return output("systemctl", (scope == .user ? ["--user"] : []) + arguments) != nil
    }

    /// What a tool says; nil when it is missing or fails.
    private func output(_ tool: String, _ arguments: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            return nil
        }
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: said, as: UTF8.self) : nil
    }
}
