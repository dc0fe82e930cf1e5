import Dispatch
import MeshAgreements
import MeshAudit
import MeshBase
import MeshNode
import MeshRouting
import MeshStore
import MeshWire

/// What is remembered of calls, as the planes use it: the journal, its index, and the idempotency keys.
final class AuditTrail: Sendable {
    /// How an append stands.
    enum Appending: Sendable {
        /// As durable as was asked for.
        case done
        /// Written; it is synced later.
        case later(Later)
        /// Not written.
        case failed(JournalError)
    }

    /// A sync that is awaited.
    struct Later: Sendable {
        let journal: Journal
        let position: JournalPosition

        /// Calls back on a thread of the journal's: whether it is durable.
        func onDone(_ callback: @escaping @Sendable (Bool) -> Void) {
            journal.whenSynced(position) { result in
                switch result {
                case .success: callback(true)
                case .failure: callback(false)
                }
            }
        }
    }

    let journal: Journal
    let index: AuditIndex
    /// Idempotency keys and meters: SQLite syncs, and no event loop waits for that.
    private let keepsakes: GatheredWrites<Keeping>
    /// Peers' questions, one after the other: each reads some megabytes of the journal, and who asks without
    /// end takes no more than its turn of one core.
    private let questions = DispatchQueue(label: "comity.questions", qos: .utility)

    init(journal: Journal, index: AuditIndex, store: Store) {
        self.journal = journal
        self.index = index
        keepsakes = GatheredWrites(label: "comity.keys") { Keeping.keep($0, in: store) }
    }

    /// Bytes that the journal can still take.
    var room: Int64 { journal.room }

    /// Appends in one write.
    func append(_ records: [AuditRecord], _ durability: AuditDurability) -> Appending {
        var batch = JournalBatch()
        for record in records { batch.append(record) }
        return append(&batch, durability)
    }

    /// Appends in one write as long as a segment surely holds it. Where that fails, some of many may be
    /// there.
    func append(_ batch: inout JournalBatch, _ durability: AuditDurability) -> Appending {
        do throws(JournalError) {
            var written = 0
            while batch.count - written > AuditEffect.recordsPerWrite {
                let next = written + AuditEffect.recordsPerWrite
                try journal.append(&batch, written..<next)
                written = next
            }
            let position = try journal.append(&batch, written..<batch.count)
            switch durability {
            case .written: return .done
            case .synced: return .later(Later(journal: journal, position: position))
            }
        } catch {
            return .failed(error)
        }
    }

    /// Keeps what calls rest on, synced; calls back on a queue: whether it is.
    func keep(_ keepsake: Keepsake, _ callback: @escaping @Sendable (Bool) -> Void) {
        keepsakes.add(Keeping(keepsake: keepsake, callback: callback))
    }

    /// The index's answer, away from event loops and the cooperative pool.
    func entries(_ query: AuditQuery) async throws(StoreError) -> [AuditEntry] {
        try await offPool(on: .global()) { index throws(StoreError) in try index.entries(query) }
    }

    /// This node's half of a call, as far as `peer` took part.
    func half(of correlation: CorrelationID, for peer: NodeID) async throws(StoreError) -> [AuditEvent] {
        try await offPool(on: questions) { index throws(StoreError) in
            try index.half(of: correlation, for: peer)
        }
    }

    private func offPool<Value: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable (AuditIndex) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            queue.async { [index] in
                do throws(StoreError) {
                    continuation.resume(returning: .success(try work(index)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

extension JournalBatch {
    /// Adds a record as the journal keeps it.
    mutating func append(_ record: AuditRecord) {
        append { bytes in AuditRecordCodec.encode(record, into: &bytes) }
    }
}

/// A keepsake on its way to the store.
private struct Keeping: Sendable {
    let keepsake: Keepsake
    let callback: @Sendable (Bool) -> Void

    /// Keeps them in their order in one transaction, or none; one that cannot be written down fails alone. Of
    /// each meter the newest record is kept, which says all that the older ones did.
    static func keep(_ items: [Keeping], in store: Store) {
        var meters: Set<MeterKey> = []
        var changes: [StoreChange] = []
        var told: [(Keeping, isWritable: Bool)] = []
        for item in items.reversed() {
            var isWritable = true
            if case .meter(let record) = item.keepsake, !meters.insert(record.key).inserted {
                told.append((item, isWritable))
                continue
            }
            do { changes.append(try StoredKey.change(for: item.keepsake)) } catch { isWritable = false }
            told.append((item, isWritable))
        }
        var isKept = true
        do { try store.commit(changes.reversed()) } catch { isKept = false }
        for (item, isWritable) in told.reversed() { item.callback(isKept && isWritable) }
    }
}

/// An idempotency key as the store keeps it.
private struct StoredKey: Codable {
    let resource: ResourceName
    let capability: ResourceName
    let method: String
    let path: Octets
    let query: Octets?
    let body: StoredBody
    let answer: Octets?
    let answerBody: Octets?

    static func change(for keepsake: Keepsake) throws(WireError) -> StoreChange {
        switch keepsake {
        case .key(let entry): .putIdempotency(try row(of: entry))
        case .meter(let record):
            .putMeter(
                MeterRow(
                    agreement: record.key.agreement.description, source: record.key.source.description,
                    target: record.key.target.description,
                    record: String(decoding: try Document.encode(record), as: UTF8.self)))
        }
    }

    private static func row(of entry: IdempotencyBook.Entry) throws(WireError) -> IdempotencyRow {
        let request = entry.request
        let answer = try entry.end.map { end throws(WireError) in
            Octets(try InvocationCodec.encode(.answered(status: end.status, headers: end.headers)))
        }
        let stored = StoredKey(
            resource: request.resource, capability: request.capability, method: request.method,
            path: Octets(Array(request.path.utf8)), query: request.query.map { Octets(Array($0.utf8)) },
            body: StoredBody(request.body),
            answer: answer, answerBody: entry.end?.body)
        return IdempotencyRow(
            caller: entry.key.caller, key: entry.key.key, requestDigest: request.body.digest ?? .zero,
            state: entry.end == nil ? .started : .finished, outcome: try Document.encode(stored),
            expires: entry.until)
    }

    static func entry(of row: IdempotencyRow) throws -> IdempotencyBook.Entry {
        guard let bytes = row.outcome else { throw AgentFailure.storeUnreadable(what: "an idempotency key") }
        let stored: StoredKey = try Document.decode(from: bytes, limit: 256 * 1024)
        let identity = RequestIdentity(
            resource: stored.resource, capability: stored.capability, method: stored.method,
            path: String(decoding: stored.path.bytes, as: UTF8.self),
            query: stored.query.map { String(decoding: $0.bytes, as: UTF8.self) },
            body: try stored.body.body())
        var end: IdempotencyBook.End?
        if let answer = stored.answer,
            case .answered(let status, let headers) = try InvocationCodec.answer(from: answer.bytes)
        {
            end = IdempotencyBook.End(status: status, headers: headers, body: stored.answerBody)
        }
        return IdempotencyBook.Entry(
            key: IdempotencyBook.Key(caller: row.caller, key: row.key), request: identity, until: row.expires,
            end: end)
    }
}

/// How a request's body came, as the store keeps it: what is absent is nil.
private struct StoredBody: Codable {
    let length: Int64?
    let digest: Digest?

    init(_ body: RequestBody) { (length, digest) = (body.length, body.digest) }

    func body() throws -> RequestBody {
        switch (length, digest) {
        case (0?, nil): return .none
        case (let length?, let digest?): return .whole(length: length, digest: digest)
        case (let length, nil): return .streamed(length: length)
        case (nil, _?): throw AgentFailure.storeUnreadable(what: "the body of an idempotency key's request")
        }
    }
}

extension RequestBody {
    fileprivate var digest: Digest? { if case .whole(_, let digest) = self { digest } else { nil } }
}

extension StoredState {
    /// The idempotency keys that the desk takes up at start.
    var idempotencyEntries: [IdempotencyBook.Entry] {
        get throws { try idempotency.map(StoredKey.entry) }
    }

    /// The meters that the desk takes up at start.
    var meterRecords: [MeterRecord] {
        get throws {
            try meters.map { try Document.decode(from: Array($0.record.utf8), limit: 4 * 1024) }
        }
    }
}
