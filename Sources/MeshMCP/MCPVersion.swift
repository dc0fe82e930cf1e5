/// Revisions of MCP, by their dates.
public enum MCPVersion {
    /// The one that is asked for, and offered to whoever asks for one that is not spoken.
    public static let latest = "2025-06-18"
    /// Those that are spoken: what they say of tools is the same.
    public static let spoken = [latest, "2025-03-26", "2024-11-05", "2025-11-25"]
    /// What a request over HTTP speaks that does not say (revision 2025-06-18, "Protocol Version Header").
    public static let assumed = "2025-03-26"
}
