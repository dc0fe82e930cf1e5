import MeshWire
import NIOCore

@testable import MeshAgent
@testable import MeshLink

/// Changes the frames that come to one end of a link, above TLS.
final class FrameForger: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    /// What becomes of a frame's payload.
    typealias Forge = @Sendable (FrameHeader, [UInt8]) throws -> [UInt8]

    private let forge: Forge
    private var waiting: [UInt8] = []

    private init(_ forge: @escaping Forge) { self.forge = forge }

    static func place(
        _ forge: @escaping Forge, at agent: RunningAgent, from other: RunningAgent
    ) async throws {
        try await agent.place({ FrameForger(forge) }, onLinkWith: other)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting += unwrapInboundIn(data).readableBytesView
        do {
            while let header = try waiting.withUnsafeBytes({ try FrameHeader.read(from: $0) }),
                waiting.count >= FrameHeader.length + header.payloadLength
            {
                let end = FrameHeader.length + header.payloadLength
                try pass(header, Array(waiting[..<end]), context)
                waiting.removeFirst(end)
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }

    private func pass(_ header: FrameHeader, _ frame: [UInt8], _ context: ChannelHandlerContext) throws {
        let payload = Array(frame[FrameHeader.length...])
        let forged = try forge(header, payload)
        guard forged != payload, let kind = header.kind else {
            return context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: frame)))
        }
        let written = FrameHeader(
            kind, payloadLength: forged.count, endsStream: header.endsStream, stream: header.stream)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
        bytes.withUnsafeMutableBytes { written.write(into: $0) }
        context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes + forged)))
    }
}
