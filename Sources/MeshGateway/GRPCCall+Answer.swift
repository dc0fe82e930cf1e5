import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import NIOHTTP2

// What goes out: a head, pieces and trailers, or trailers alone. What refers to a call that is over is
// ignored.
extension GRPCCall {
    func answerHead(
        _ id: GatewayRequestID?, status: Int, headers: [HeaderField], correlation: CorrelationID?
    ) {
        guard isOwed(id) else { return }
        guard (200...599).contains(status) else {
            let fact = Fact("status", status)
            return answerRefused(
                id, [Refusal(.resourceMisbehaved, [fact])], status: nil, correlation: correlation)
        }
        var head = Self.head(status, correlation)
        Self.add(headers, to: &head)
        if head.contains(name: "grpc-status") {
            answer = .held(head)
        } else {
            answer = .begun
            write(.headers(.init(headers: head)))
        }
    }

    func answerBody(_ id: GatewayRequestID?, _ chunk: ByteBuffer) {
        guard hasBegun(id), chunk.readableBytes > 0 else { return }
        letHeadGo()
        write(.data(.init(data: .byteBuffer(chunk))))
    }

    func answerEnd(_ id: GatewayRequestID?, trailers: [HeaderField]) {
        guard hasBegun(id) else { return }
        var fields = HPACKHeaders()
        Self.add(trailers, to: &fields)
        if case .held(let head) = answer, fields.isEmpty {
            return writeLast(.headers(.init(headers: head, endStream: true)))
        }
        letHeadGo()
        if fields.isEmpty {
            writeLast(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
        } else {
            writeLast(.headers(.init(headers: fields, endStream: true)))
        }
    }

    func answerWhole(
        _ id: GatewayRequestID?, status: Int, headers: [HeaderField], body: ByteBuffer,
        correlation: CorrelationID?, extra: [HeaderField]
    ) {
        guard isOwed(id) else { return }
        var head = Self.head(status, correlation)
        Self.add(headers, to: &head)
        for field in extra { head.add(name: field.name, value: field.value) }
        write(.headers(.init(headers: head)))
        writeLast(.data(.init(data: .byteBuffer(body), endStream: true)))
    }

    func answerRefused(
        _ id: GatewayRequestID?, _ refusals: [Refusal], status: Int?, correlation: CorrelationID?
    ) {
        guard self.id == id, !isEnded else { return }
        let code = refusals.first?.code ?? .resourceMisbehaved
        guard isGRPC else {
            var body = ByteBuffer()
            RefusalBody.write(refusals, correlation: correlation, into: &body)
            return answerWhole(
                id, status: status ?? HTTPStatusTable.status(for: code),
                headers: [HeaderField("content-type", "application/json")], body: body,
                correlation: correlation, extra: [HeaderField("comity-refusal", code.rawValue)])
        }
        var fields = HPACKHeaders()
        if case .begun = answer {
            // Trailers wait behind all that was said, and whoever reads nothing would never have them.
            guard context?.channel.isWritable == true else { return reset() }
        } else {
            fields = Self.head(200, correlation)
            fields.add(name: "content-type", value: "application/grpc")
        }
        let text = GRPCMessage.text(
            of: refusals, cause: door.configuration.cause(code), correlation: correlation)
        fields.add(name: "grpc-status", value: "\(GRPCStatus(code, http: status).rawValue)")
        fields.add(name: "grpc-message", value: GRPCMessage.escaped(text))
        fields.add(name: "comity-refusal", value: code.rawValue)
        writeLast(.headers(.init(headers: fields, endStream: true)))
    }

    /// No call of gRPC goes to all providers.
    func answerGathered(_ id: GatewayRequestID?, _ parts: [FanOutPart]) {
        guard isOwed(id) else { return }
        reset()
    }

    private func isOwed(_ id: GatewayRequestID?) -> Bool {
        if case .owed = answer, self.id == id, context != nil { true } else { false }
    }

    private func hasBegun(_ id: GatewayRequestID?) -> Bool {
        guard self.id == id, context != nil else { return false }
        return switch answer {
        case .held, .begun: true
        case .owed, .ended: false
        }
    }

    /// Something follows the head.
    private func letHeadGo() {
        guard case .held(let head) = answer else { return }
        answer = .begun
        write(.headers(.init(headers: head)))
    }

    private static func head(_ status: Int, _ correlation: CorrelationID?) -> HPACKHeaders {
        var head: HPACKHeaders = [":status": "\(status)"]
        if let correlation { head.add(name: "comity-correlation-id", value: correlation.description) }
        return head
    }

    // The answer came from another organisation's node: it may neither speak in Comity's name nor break a
    // head.
    private static func add(_ fields: [HeaderField], to block: inout HPACKHeaders) {
        for field in fields {
            let name = field.name.lowercasedASCII
            guard name != "content-length", !HeaderRules.isHopByHop(name), !HeaderRules.isReserved(name),
                HeaderRules.isWritable(name, field.value)
            else { continue }
            block.add(name: name, value: field.value)
        }
    }
}
