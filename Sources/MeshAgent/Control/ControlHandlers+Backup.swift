import Dispatch
import MeshBase
import MeshControl
import MeshNode

// Backups.
extension ControlHandlers {
    /// Copies the home as it is now, for whoever packs it. It is written down: who packs it has the key.
    func makeSnapshot() async throws(ControlFailure) -> MakeSnapshot.Response {
        let result: Result<HomeSnapshot, BackupError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [snapshot] in
                do throws(BackupError) {
                    continuation.resume(returning: .success(try snapshot()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        switch result {
        case .failure(let error): throw ControlFailure(error)
        case .success(let made):
            try await order(.note("backup taken", [Fact("moment", RFC3339.text(made.label.made))]))
            return MakeSnapshot.Response(
                folder: made.folder, node: made.label.node, name: made.label.name,
                made: Timestamp(made.label.made))
        }
    }
}

extension ControlFailure {
    /// Why a backup was not made, or not restored.
    public init(_ error: BackupError) {
        self.init(.refused, code: error.code, message: error.description, next: error.next)
    }
}

extension HomeSnapshot {
    /// The snapshot that an agent has made.
    public init(_ answer: MakeSnapshot.Response) {
        self.init(
            folder: answer.folder,
            label: BackupLabel(node: answer.node, name: answer.name, made: answer.made.time))
    }
}
