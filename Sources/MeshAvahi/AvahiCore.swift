import CAvahi
import MeshBase

/// What runs on Avahi's thread: the event loop, the connection to the daemon, and the timer that renews both.
/// Outside the callbacks it is touched only under the loop's lock, or while no thread runs.
final class AvahiCore {
    private enum Connection {
        /// No client, or one that the daemon has not answered; why is said already, once.
        case seeking(toldReason: String?)
        case running
    }

    private let loop: OpaquePointer
    private let emit: @Sendable (AvahiEvent) -> Void
    private let renewalInMilliseconds: UInt32
    private let announcer: AvahiAnnouncer?
    private let browser: AvahiBrowser
    private var client: OpaquePointer?
    private var timer: OpaquePointer?
    private var connection = Connection.seeking(toldReason: nil)
    /// How long until the bus is asked for again, in milliseconds: from `soonest` to `latest`, doubled each
    /// time that nobody is there.
    private var patience = AvahiCore.soonest
    /// Between two looks for a bus that is not there, in milliseconds. One that is there says by itself when
    /// the daemon comes.
    private static let soonest: UInt32 = 1_000
    private static let latest: UInt32 = 8_000
    /// The client told us that it is of no more use; it may not be freed inside its own callback.
    private var isClientLost = false

    init(
        _ announcement: AvahiAnnouncement?, renewal: Duration, emit: @escaping @Sendable (AvahiEvent) -> Void
    ) throws(AvahiFailure) {
        guard let loop = avahi_threaded_poll_new() else { throw .noEventLoop }
        self.loop = loop
        self.emit = emit
        let milliseconds = renewal.components.seconds.multipliedReportingOverflow(by: 1_000)
        renewalInMilliseconds =
            milliseconds.overflow ? .max : UInt32(clamping: max(1_000, milliseconds.partialValue))
        let announcer = announcement.map { AvahiAnnouncer($0, emit: emit) }
        self.announcer = announcer
        browser = AvahiBrowser(isOwn: { $0 == announcer?.instance }, emit: emit)
    }

    /// Seeks the daemon and starts the thread. To be followed by `close` also when it throws.
    func start() throws(AvahiFailure) {
        guard let poll = avahi_threaded_poll_get(loop) else { throw .noEventLoop }
        timer = poll.pointee.timeout_new(
            poll, nil,
            { _, core in
                guard let core else { return }
                Unmanaged<AvahiCore>.fromOpaque(core).takeUnretainedValue().renew()
            }, Unmanaged.passUnretained(self).toOpaque())
        guard timer != nil else { throw .noTimer }
        renew()
        guard avahi_threaded_poll_start(loop) == 0 else { throw .noThread }
    }

    func update(_ txt: TXTRecord) {
        avahi_threaded_poll_lock(loop)
        defer { avahi_threaded_poll_unlock(loop) }
        announcer?.update(txt)
    }

    func announceAnew(_ txt: TXTRecord) {
        avahi_threaded_poll_lock(loop)
        defer { avahi_threaded_poll_unlock(loop) }
        announcer?.rename(showing: txt)
        if case .running = connection, let client, !isClientLost { announcer?.announce(through: client) }
    }

    /// Ends the thread, then frees what it used; the daemon sends the goodbyes.
    func close() {
        avahi_threaded_poll_stop(loop)
        disconnect()
        if let timer, let poll = avahi_threaded_poll_get(loop) { poll.pointee.timeout_free(timer) }
        timer = nil
        avahi_threaded_poll_free(loop)
    }

    private func renew() {
        if isClientLost { disconnect() }
        if client == nil { connect() }
        if case .running = connection, let client, !isClientLost {
            announcer?.announce(through: client)
            browser.renew(through: client)
        }
        guard client == nil else {
            patience = Self.soonest
            return arm(renewalInMilliseconds)
        }
        arm(min(patience, renewalInMilliseconds))
        patience = min(patience * 2, Self.latest)
    }

    private func arm(_ milliseconds: UInt32) {
        guard let timer, let poll = avahi_threaded_poll_get(loop) else { return }
        var due = timeval()
        avahi_elapse_time(&due, milliseconds, 0)
        poll.pointee.timeout_update(timer, &due)
    }

    private func connect() {
        var status: CInt = 0
        let made = avahi_client_new(
            avahi_threaded_poll_get(loop), AVAHI_CLIENT_NO_FAIL,
            { client, state, core in
                guard let client, let core else { return }
                Unmanaged<AvahiCore>.fromOpaque(core).takeUnretainedValue().changed(client, to: state)
            }, Unmanaged.passUnretained(self).toOpaque(), &status)
        client = made
        if made == nil { lose(avahiReason(status)) }
    }

    private func disconnect() {
        announcer?.withdraw()
        browser.stop()
        if let client { avahi_client_free(client) }
        client = nil
        isClientLost = false
    }

    /// The client speaks; the first time before `connect` has it.
    private func changed(_ client: OpaquePointer, to state: AvahiClientState) {
        self.client = client
        switch state {
        case AVAHI_CLIENT_S_RUNNING:
            if case .seeking = connection { emit(.running) }
            connection = .running
            announcer?.announce(through: client)
            browser.renew(through: client)
        case AVAHI_CLIENT_S_COLLISION, AVAHI_CLIENT_S_REGISTERING:
            // The host's own name changes: services must go, and are announced again when it runs.
            announcer?.withdraw()
        case AVAHI_CLIENT_CONNECTING:
            lose("the Avahi daemon is not running")
        case AVAHI_CLIENT_FAILURE:
            lose(avahiReason(avahi_client_errno(client)))
            isClientLost = true
            arm(min(Self.soonest, renewalInMilliseconds))
        default: break
        }
    }

    /// Says it once, until the daemon runs again or the reason changes.
    private func lose(_ reason: String) {
        if case .seeking(reason) = connection { return }
        connection = .seeking(toldReason: reason)
        emit(.unavailable(reason: reason))
    }
}
