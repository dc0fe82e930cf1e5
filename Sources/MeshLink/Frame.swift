import MeshBase
import MeshWire
import NIOCore

/// A frame of a known kind, as it arrived.
struct Frame: Equatable {
    let kind: FrameKind
    let stream: UInt32
    /// Nothing follows on this stream from the sender.
    let endsStream: Bool
    /// A slice of the connection's read buffer, never longer than `Limits.framePayload`.
    let payload: ByteBuffer
}

/// How a peer's frames broke the protocol; each ends the link.
public enum FrameViolation: Error, Equatable, Sendable, CustomStringConvertible {
    /// A header or a payload that is none.
    case malformed(WireError)
    /// A frame for a stream that its sender may not use, or that was never opened.
    case wrongStream(FrameKind, stream: UInt32)
    /// A frame that its stream's state does not allow, such as data after the end.
    case outOfOrder(FrameKind, stream: UInt32)
    /// Data without bytes that ends nothing: it costs no credit, so it could be sent without end.
    case emptyData(stream: UInt32)
    /// More bytes than credit was given for, or more credit than a window holds.
    case windowExceeded(stream: UInt32)
    /// Something else than a message of the handshake, before trust.
    case beforeAdmission(FrameKind)
    /// More messages than a handshake has.
    case tooManyHandshakeMessages
    /// The peer makes this node queue answers that it does not read.
    case unreadAnswers

    public var description: String {
        switch self {
        case .malformed(let error): "a frame that cannot be read: \(error)"
        case .wrongStream(let kind, let stream):
            "\(kind) for stream \(stream), which is not the sender's to use"
        case .outOfOrder(let kind, let stream): "\(kind) that stream \(stream) does not expect"
        case .emptyData(let stream): "data without bytes on stream \(stream)"
        case .windowExceeded(let stream): "more than the window of stream \(stream) allows"
        case .beforeAdmission(let kind): "\(kind) before the handshake was over"
        case .tooManyHandshakeMessages: "more messages than a handshake has"
        case .unreadAnswers: "what asks for answers, and does not read them"
        }
    }
}

extension ByteBuffer {
    /// Takes a header off the front; nil, and nothing taken, while it has not come whole.
    mutating func readFrameHeader(payloadLimit: Int) throws(FrameViolation) -> FrameHeader? {
        let result = withUnsafeReadableBytes { bytes -> Result<FrameHeader?, WireError> in
            do throws(WireError) {
                return .success(try FrameHeader.read(from: bytes, payloadLimit: payloadLimit))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let header):
            if header != nil { moveReaderIndex(forwardBy: FrameHeader.length) }
            return header
        case .failure(let error): throw .malformed(error)
        }
    }

    /// Reads the whole payload of a frame with a reader of MeshWire.
    func readPayload<Value>(
        _ read: (UnsafeRawBufferPointer) throws(WireError) -> Value
    ) throws(FrameViolation) -> Value {
        let result = withUnsafeReadableBytes { bytes -> Result<Value, WireError> in
            do throws(WireError) { return .success(try read(bytes)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw .malformed(error)
        }
    }

    /// Appends a header.
    mutating func write(_ header: FrameHeader) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: FrameHeader.length) { bytes in
            header.write(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<FrameHeader.length]))
            return FrameHeader.length
        }
    }
}
