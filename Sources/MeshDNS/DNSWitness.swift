import Dispatch
import Foundation
import MeshBase
import Synchronization

/// The witness of unicast DNS: reports the instances of `_comity._tcp` that one domain lists (RFC 6763). It
/// announces nothing: who keeps the zone lists the nodes.
///
/// Asking blocks, so it has a thread of its own, on which `onEvent` is called; that must only hand the event
/// on. `DNSBrowse` decides what is asked when.
public final class DNSWitness: Sendable {
    private let configuration: DNSConfiguration
    private let onEvent: @Sendable (DNSEvent) -> Void
    private let isOpen = Mutex(true)
    private let wake = DispatchSemaphore(value: 0)

    /// Begins to ask. To be followed by `close`.
    /// - Parameter onEvent: hands one event on; called on the witness's thread.
    public init(_ configuration: DNSConfiguration, onEvent: @escaping @Sendable (DNSEvent) -> Void) {
        self.configuration = configuration
        self.onEvent = onEvent
        let thread = Thread { self.browse() }
        thread.name = "comity.dns"
        thread.start()
    }

    /// Ends it: no event comes after it returned. It does not wait for an answer that is still out; the
    /// thread ends when that is there or given up. Closing twice is harmless.
    public func close() {
        isOpen.withLock { $0 = false }
        wake.signal()
    }

    private func browse() {
        let resolver = DNSResolver(
            server: configuration.server, patienceInSeconds: configuration.patienceInSeconds)
        var browse = DNSBrowse(
            service: configuration.service, generator: SeededGenerator(seed: .random(in: .min ... .max)),
            at: Self.now)
        var effects = Outbox<DNSBrowse.Effect>()
        while isOpen.withLock({ $0 }) {
            browse.handle(.timeReached, at: Self.now, into: &effects)
            while let question = perform(effects.drain()) {
                let begin = Self.now
                let result = resolver.ask(question)
                tell(.asked(Self.failure(of: result), took: Self.now - begin))
                browse.handle(Self.input(of: result), at: Self.now, into: &effects)
            }
            guard let deadline = browse.nextDeadline else { continue }
            let wait = max(.zero, deadline - Self.now)
            _ = wake.wait(timeout: .now() + .nanoseconds(Int(wait.wholeNanoseconds)))
        }
    }

    /// Tells what is to be told, and answers what is to be asked; nil when nothing is, or it is over.
    private func perform(_ effects: [DNSBrowse.Effect]) -> DNSQuestion? {
        var question: DNSQuestion?
        for effect in effects {
            switch effect {
            case .ask(let asked): question = asked
            case .tell(let event): tell(event)
            }
        }
        return isOpen.withLock { $0 } ? question : nil
    }

    private func tell(_ event: DNSEvent) {
        isOpen.withLock { isOpen in
            if isOpen { onEvent(event) }
        }
    }

    private static func input(of result: Result<DNSMessage, DNSTrouble>) -> DNSBrowse.Input {
        switch result {
        case .success(let message): .answered(message)
        case .failure(let trouble): .failed(trouble)
        }
    }

    private static func failure(of result: Result<DNSMessage, DNSTrouble>) -> DNSTrouble? {
        switch result {
        case .success: nil
        case .failure(let trouble): trouble
        }
    }

    /// The system's monotonic clock.
    private static var now: Instant {
        Instant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds))
    }
}
