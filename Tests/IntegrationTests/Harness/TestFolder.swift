import Foundation

/// A folder of one test's own, removed at its end.
struct TestFolder: Sendable {
    let path: String

    /// Short, because sockets' paths are: 107 bytes at most.
    init() throws {
        path = "/tmp/comity-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func file(_ name: String) -> String { path + "/" + name }

    func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("\(path) stays behind: \(error)")
        }
    }
}
