import NIOCore

/// A body that passes on as it comes: read as fast as somebody takes it, and dropped when nobody does.
extension GatewayConnection {
    /// Reads no more of the body.
    func holdBody(_ id: GatewayRequestID) {
        guard exchange?.id == id, exchange?.hasArrived == false else { return }
        exchange?.isBodyHeld = true
    }

    /// Reads on; an application that waits to be invited is.
    func resumeBody(_ id: GatewayRequestID) {
        guard exchange?.id == id, exchange?.isBodyHeld == true else { return }
        exchange?.isBodyHeld = false
        if exchange?.awaitsInvitation == true, exchange?.answer.hasBegun == false {
            exchange?.awaitsInvitation = false
            out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            flushSoon()
        }
        lastRead = .now()
        resumeReading()
    }

    /// The answer is complete and the body is not: the rest is read and dropped, where there is one to come.
    func readUnwanted(_ done: Exchange) {
        guard !done.awaitsInvitation else { return linger() }
        exchange?.isBodyHeld = false
        resumeReading()
    }

    /// Whether what comes is no HTTP any more.
    var isWebSocket: Bool { exchange?.isWebSocket == true }

    /// What the application says over a WebSocket. Before that is open it may say nothing yet, and no more of
    /// it is read than one read brought.
    func said(_ bytes: ByteBuffer) {
        guard ending != .lingering, let exchange, let id = exchange.id, !exchange.answer.hasEnded else {
            return
        }
        isReading = true
        lastRead = .now()
        observer.bodyArrived(bytes, of: id)
    }

    /// Counts what came after the answer was complete; beyond a bound nobody reads it any more.
    func dropUnwanted(_ count: Int) {
        exchange?.unwanted += count
        if (exchange?.unwanted ?? 0) > configuration.bodyLimit { linger() }
    }
}
