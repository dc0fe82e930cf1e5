import Foundation

@testable import MeshAgent

/// A place for a home of one test, gone with it.
final class TemporaryHome: Sendable {
    let folder: String
    let home: Home

    init() {
        folder = NSTemporaryDirectory() + "comity-home-" + UUID().uuidString
        home = Home(path: folder + "/home")
        mkdir(folder, 0o700)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            print("left behind: \(folder): \(error)")
        }
    }
}
