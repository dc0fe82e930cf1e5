import CAvahi
import MeshBase

/// Announces one service through an Avahi client, and withdraws it. Confined to the lock of the witness's
/// event loop.
final class AvahiAnnouncer {
    private let announcement: AvahiAnnouncement
    private let emit: @Sendable (AvahiEvent) -> Void
    private(set) var instance: String
    private var txt: TXTRecord
    private var group: OpaquePointer?
    /// The interfaces on which the service stands; `AVAHI_IF_UNSPEC` for all.
    private var interfaces: [AvahiIfIndex] = []

    init(_ announcement: AvahiAnnouncement, emit: @escaping @Sendable (AvahiEvent) -> Void) {
        self.announcement = announcement
        self.emit = emit
        txt = announcement.txt
        instance = announcement.instance ?? Self.newInstanceName()
    }

    /// Random, so that it tells a listener nothing and differs from start to start.
    private static func newInstanceName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Announces the service unless it stands where it should already.
    func announce(through client: OpaquePointer) {
        let wanted = announcement.interfaceIndices
        if group != nil && wanted == interfaces { return }
        withdraw()
        guard !wanted.isEmpty else {
            return emit(.announcementFailed(reason: "none of the interfaces exists"))
        }
        let itself = Unmanaged.passUnretained(self).toOpaque()
        group = avahi_entry_group_new(
            client,
            { group, state, announcer in
                guard let group, let announcer else { return }
                Unmanaged<AvahiAnnouncer>.fromOpaque(announcer).takeUnretainedValue().changed(
                    group, to: state)
            }, itself)
        guard let group else { return fail(avahi_client_errno(client)) }
        interfaces = wanted
        fill(group)
    }

    /// Shows other TXT from now on.
    func update(_ txt: TXTRecord) {
        self.txt = txt
        guard let group else { return }
        let list = txt.makeList()
        defer { avahi_string_list_free(list) }
        for interface in interfaces {
            let status = avahi_entry_group_update_service_txt_strlst(
                group, interface, AvahiProtocol(AVAHI_PROTO_UNSPEC), AVAHI_PUBLISH_NO_COOKIE, instance,
                AvahiWitness.serviceType, nil, list)
            if status < 0 { return fail(status) }
        }
    }

    /// Takes the service off the network; the next announcement is under another name, with other TXT.
    func rename(showing txt: TXTRecord) {
        withdraw()
        instance = Self.newInstanceName()
        self.txt = txt
    }

    /// Takes the service off the network, with goodbyes. Needed also when the client is lost: the group lives
    /// in the client.
    func withdraw() {
        if let group { avahi_entry_group_free(group) }
        group = nil
        interfaces = []
    }

    private func fill(_ group: OpaquePointer) {
        let status = add(to: group)
        switch status {
        case 0...: break
        case CInt(AVAHI_ERR_COLLISION):
            // Another client of this very daemon has the name: that is known at once.
            rename(group)
        default: fail(status)
        }
    }

    /// Answers Avahi's status.
    private func add(to group: OpaquePointer) -> CInt {
        let list = txt.makeList()
        defer { avahi_string_list_free(list) }
        for interface in interfaces {
            let status = avahi_entry_group_add_service_strlst(
                group, interface, AvahiProtocol(AVAHI_PROTO_UNSPEC), AVAHI_PUBLISH_NO_COOKIE, instance,
                AvahiWitness.serviceType, nil, nil, announcement.port, list)
            if status < 0 { return status }
        }
        return avahi_entry_group_commit(group)
    }

    /// Takes another name and announces under it. Names are random, so it does not go on for long.
    private func rename(_ group: OpaquePointer) {
        emit(.collision(instance: instance))
        instance = Self.newInstanceName()
        avahi_entry_group_reset(group)
        fill(group)
    }

    private func changed(_ group: OpaquePointer, to state: AvahiEntryGroupState) {
        switch state {
        case AVAHI_ENTRY_GROUP_ESTABLISHED: emit(.announced(instance: instance))
        case AVAHI_ENTRY_GROUP_COLLISION: rename(group)
        case AVAHI_ENTRY_GROUP_FAILURE: fail(avahi_client_errno(avahi_entry_group_get_client(group)))
        default: break
        }
    }

    /// The next renewal begins anew.
    private func fail(_ status: CInt) {
        interfaces = []
        emit(.announcementFailed(reason: avahiReason(status)))
    }
}

/// What Avahi says about an error number.
func avahiReason(_ status: CInt) -> String {
    avahi_strerror(status).map { String(cString: $0) } ?? "error \(status)"
}

extension TXTRecord {
    /// Avahi's form of it, to be freed by the caller; nil when it is empty.
    func makeList() -> UnsafeMutablePointer<AvahiStringList>? {
        strings.reduce(nil) { avahi_string_list_add_arbitrary($0, $1, $1.count) }
    }

    /// What Avahi hands us; nil when it is longer than `lengthInBytes`.
    init?(list: UnsafeMutablePointer<AvahiStringList>?) {
        var strings: [[UInt8]] = []
        var size = 0
        var next = list
        while let node = next {
            let length = avahi_string_list_get_size(node)
            size += length + 1
            guard size <= Self.lengthInBytes else { return nil }
            strings.append(Array(UnsafeBufferPointer(start: avahi_string_list_get_text(node), count: length)))
            next = avahi_string_list_get_next(node)
        }
        self.init(strings: strings)
    }
}
