import CAvahi
import MeshBase
import Synchronization

/// The mDNS witness: announces at most one service of type `_comity._tcp`, and reports all services of that
/// type that the machine's Avahi daemon sees, per interface and address family.
///
///      ┌────────────── renewal ──────────────┐            renewal
///      ▼                                     │           ┌───────┐
///   seeking ── daemon answers ──▶ announcing and browsing ◀──────┘
///      ▲                                     │
///      └──────────── daemon lost ────────────┘
///
/// It needs no daemon to begin with: it says `.unavailable` once and goes on seeking, and after a daemon's
/// restart everything is announced and sighted again. Every `renewal` the browser is made anew. The TXT shows
/// nothing by itself; callers change it every hour (protocol section 3).
///
/// Everything Avahi runs on one thread of its own, under its lock; `onEvent` is called there. It must only
/// hand the event on: neither wait nor call the witness.
///
/// `@unchecked Sendable`: the compiler cannot see that `core` is touched only by that thread, or by others
/// under its lock.
public final class AvahiWitness: @unchecked Sendable {
    /// The type of the services that are announced and browsed for.
    public static let serviceType = "_comity._tcp"

    private let core: AvahiCore
    private let isOpen = Mutex(true)

    /// Begins to announce and to browse.
    /// - Parameters:
    ///   - announcement: nil to browse only.
    ///   - renewal: how often the browser is made anew, at least a second. A service that was sighted last
    ///     more than two renewals ago has left silently or is out of reach. A daemon or a bus that is not
    ///     there is sought every few seconds.
    ///   - onEvent: hands one event on; called on Avahi's thread, and before this returns on the caller's.
    /// - Throws: `AvahiFailure`; nothing is left behind. That there is no daemon is not a failure but an
    ///   event.
    public init(
        announcing announcement: AvahiAnnouncement?, renewal: Duration = .seconds(60),
        onEvent: @escaping @Sendable (AvahiEvent) -> Void
    ) throws(AvahiFailure) {
        core = try AvahiCore(announcement, renewal: renewal, emit: onEvent)
        do {
            try core.start()
        } catch {
            close()
            throw error
        }
    }

    /// Announces other TXT from now on. Does nothing once closed, or without announcement.
    public func update(txt: TXTRecord) {
        isOpen.withLock { isOpen in
            if isOpen { core.update(txt) }
        }
    }

    /// Announces other TXT under a new instance name: others see at once what changed, where they look at a
    /// name that they know once in a while. Does nothing once closed, or without announcement.
    public func announceAnew(txt: TXTRecord) {
        isOpen.withLock { isOpen in
            if isOpen { core.announceAnew(txt) }
        }
    }

    /// Withdraws the service with goodbyes and ends the thread. No event comes after it returned. Closing
    /// twice is harmless.
    public func close() {
        isOpen.withLock { isOpen in
            if isOpen { core.close() }
            isOpen = false
        }
    }

    deinit {
        precondition(isOpen.withLock { !$0 }, "an Avahi witness was dropped without being closed")
    }
}
