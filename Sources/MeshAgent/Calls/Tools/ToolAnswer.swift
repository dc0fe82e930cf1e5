import MeshBase
import MeshGateway
import MeshMCP
import MeshRouting
import NIOCore

/// The way back to a local MCP client whose message became a call: the call's answer, or its refusal, as the
/// one message that it waits for. Confined to the plane's event loop.
///
///     waiting --head--> gathering --end--> answered
///     waiting, gathering --refused, longer than `Limits.callBody`, no room for it--> answered
final class ToolAnswer {
    let reply: GatewayReply
    private let id: RPCID
    /// Whether a tool was called; else the list was asked for.
    private let isCall: Bool
    /// Gives up the call whose answer is too long.
    private let giveUp: () -> Void
    private var status = 0
    private var correlation: CorrelationID?
    private var gathered = ByteBuffer()
    private var isOver = false
    private let share: ToolShare

    init(
        _ reply: GatewayReply, to id: RPCID, isCall: Bool, within share: ToolShare,
        givingUpBy giveUp: @escaping () -> Void
    ) {
        self.share = share
        self.reply = reply
        self.id = id
        self.isCall = isCall
        self.giveUp = giveUp
    }

    func head(status: Int, correlation: CorrelationID?) {
        (self.status, self.correlation) = (status, correlation)
    }

    func body(_ chunk: ByteBuffer) {
        guard !isOver else { return }
        let length = gathered.readableBytes + chunk.readableBytes
        guard length <= Limits.callBody else {
            refuse(
                [Refusal(.bodyTooLarge, [Fact("bytes", length), Fact("at most", Limits.callBody)])],
                correlation: correlation)
            return giveUp()
        }
        guard share.holds(answer: length) else {
            let all = Fact("at most", Limits.fanOutBytesInAll)
            refuse([Refusal(.overloaded, [all])], correlation: correlation)
            return giveUp()
        }
        gathered.writeImmutableBuffer(chunk)
    }

    func end() { finish(ToolDoor.answer(to: id, status: status, body: Array(gathered.readableBytesView))) }

    func refuse(_ refusals: [Refusal], correlation: CorrelationID?) {
        self.correlation = correlation ?? self.correlation
        let text = RefusalBody.text(refusals, correlation: self.correlation)
        finish(ToolDoor.refusal(of: id, isCall: isCall, text))
    }

    private func finish(_ message: [UInt8]) {
        guard !isOver else { return }
        isOver = true
        gathered = ByteBuffer()
        reply.answer(
            status: 200, headers: [HeaderField("content-type", "application/json")],
            body: ByteBuffer(bytes: message), correlation: correlation)
    }
}
