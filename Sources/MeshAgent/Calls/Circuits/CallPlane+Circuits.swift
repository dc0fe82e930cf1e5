import MeshBase
import MeshDiscovery
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

// Links that relays carry (decision 0043): a relay is called like any resource, and brings the link over a
// stream to the node that is to be reached.
extension CallPlane {
    /// Dials through a relay, as this connection: secured or closed follows. From another thread it hops to
    /// the loop.
    func dial(_ dial: CircuitPlan.Dial, as connection: ConnectionID) {
        guard loop.inEventLoop else { return loop.execute { self.dial(dial, as: connection) } }
        let asking = CircuitDial(connection, dial, on: self)
        let id = nextRequest()
        let request = OwnRequest(id, circuit: asking) { [unowned self] in bodyOf(id, did: $0) }
        asking.request = request
        tables.value.requests[id] = request
        submit(
            .requested(
                LocalRequest(
                    id: id, target: .node(dial.relay), resource: .relay,
                    form: .mesh(method: WebSocketUpgrade.method, path: "/\(dial.peer)", query: nil),
                    principal: .agent, body: .streamed(length: nil))))
    }

    /// A relay brings a link; nil refuses it.
    func circuitArrived(
        _ stream: LinkStream, head: ByteBuffer, from relay: NodeID
    ) -> (any LinkStreamObserver)? {
        do throws(WireError) {
            let caller = try head.withReadable { bytes throws(WireError) in
                try CircuitCodec.caller(from: bytes)
            }
            let isWanted = desk.withLock {
                $0.acceptsCircuit(from: relay, of: caller, at: SystemClock.now())
            }
            guard isWanted else { return nil }
            let arrival = CircuitArrival(from: relay, of: caller, on: stream, of: self)
            // Behind what makes the stream known.
            loop.assumeIsolated().execute { arrival.begin() }
            return arrival
        } catch {
            note("a relay's head cannot be read", error)
            return nil
        }
    }

    /// The stream over which `end` is reached for `caller`; nil where there is no link with it.
    func openCircuit(
        to end: NodeID, of caller: NodeID, observer: any LinkStreamObserver
    ) -> LinkStream? {
        guard let connection = tables.value.links[end] else { return nil }
        return transport.withLock({ $0 })?.openStream(
            on: connection, head: ByteBuffer(bytes: CircuitCodec.head(of: caller)), observer: observer)
    }

    /// Carries no link any more: who stops would be waited for by all that it carries.
    func endCircuits() {
        guard loop.inEventLoop else { return loop.execute { self.endCircuits() } }
        let uses = tables.value.uses.filter { _, use in use is RelayUse }
        for case let use as RelayUse in uses.map(\.value) { use.drain() }
    }
}
