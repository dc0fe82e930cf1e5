/// A WebSocket (RFC 6455) as a call: what capabilities, agreements, invocations and the audit name it by
/// (decision 0034).
///
/// Its request is a method of its own, so that no capability for reading lets anybody in to speak: whoever
/// opens one may say anything. The answer is status 101, and both bodies are what the two ends say after
/// that, byte for byte, for as long as both want.
public enum WebSocketUpgrade {
    /// In place of the GET with which an application asks, and with which a resource is asked. It is never
    /// sent to either.
    public static let method = "WEBSOCKET"
    /// Switching Protocols (RFC 9110 section 15.2.2).
    public static let status: UInt16 = 101
    /// The protocol's name in `Upgrade`, in lower case.
    public static let name = "websocket"
}
