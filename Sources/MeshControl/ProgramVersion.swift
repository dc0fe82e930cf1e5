/// The version of this program (semantic versioning 2.0.0), as `--version` and `status` show it.
public enum ProgramVersion {
    /// The version itself.
    public static let text = "0.1.0"
}
