import MeshBase
import MeshWire
import NIOCore

// What comes in, in its order.
extension LinkConnection {
    /// Takes up what was read, frame by frame.
    func process() {
        guard !isProcessing, !isYielding else { return }
        isProcessing = true
        defer { isProcessing = false }
        var opened = 0
        do throws(FrameViolation) {
            while !isHolding, !isHeldBack, phase != .closed, let frame = try reader.next() {
                if frame.kind == .open, streams.isPeers(frame.stream) { opened += 1 }
                try handle(frame)
                if opened == Self.opensPerTurn, !isEnding { return yieldTurn() }
            }
        } catch {
            transport.count { $0.violations += 1 }
            end(.violated(error))
        }
    }

    /// The peer has closed: what came before that still counts, whoever's turn it is; of one that is held
    /// back, what was handed over.
    func processRest() {
        isEnding = true
        isYielding = false
        process()
    }

    /// Reads on once the other connections of the loop had their turn: what came in one read may be hundreds
    /// of calls, and another one's call would wait for the work of all of them.
    private func yieldTurn() {
        guard let context, phase == .admitted else { return }
        isYielding = true
        steerReading()
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.yieldTime) {
            self.isYielding = false
            guard self.phase == .admitted else { return }
            self.steerReading()
            self.process()
            self.scheduleFlush()
        }
    }

    /// What it brought waits to be taken up: nothing more is read until `readOn`.
    func holdBack() {
        // What is left of one that is ending is one read at most.
        guard phase == .admitted, !isHeldBack, !isEnding else { return }
        isHeldBack = true
        steerReading()
    }

    /// Enough of it was taken up.
    func readOn() {
        guard isHeldBack else { return }
        isHeldBack = false
        guard phase == .admitted else { return }
        steerReading()
        process()
        scheduleFlush()
    }

    private func handle(_ frame: Frame) throws(FrameViolation) {
        switch phase {
        case .admitted: deliver(try streams.receive(frame))
        case .handshaking(let received):
            guard frame.kind == .document else { throw .beforeAdmission(frame.kind) }
            guard received < Self.handshakeMessages else { throw .tooManyHandshakeMessages }
            phase = .handshaking(received: received + 1)
            // The next one may be no message but what follows the handshake, which is longer.
            reader.payloadLimit = Limits.framePayload
            guard frame.payload.readableBytes <= Limits.handshakeMessage else {
                throw .malformed(.tooLong(bytes: frame.payload.readableBytes, limit: Limits.handshakeMessage))
            }
            isHolding = true
            steerReading()
            tell(.handshakeMessage(Array(frame.payload.readableBytesView)))
        case .securing, .closed: break
        }
    }

    func noteHeard() {
        guard phase == .admitted else { return }
        let now = NIODeadline.now()
        guard now >= nextHeard else { return }
        nextHeard = now + .milliseconds(250)
        tell(.heard)
    }
}
