import MeshAudit
import MeshBase
import MeshWire

/// What a query asks of a record's outline: each thing as the bytes that stand in the record, so that no
/// record is decoded to find that it is not wanted.
struct AuditTerms: Sendable {
    /// What of an event can be asked for. The numbers are kept with the blocks: never change one.
    enum Field: UInt64, CaseIterable, Sendable {
        case correlation = 1
        /// Source or target.
        case node
        case principal
        case resource
        case type
    }

    private struct Term: Sendable {
        let field: Field
        let bytes: [UInt8]
    }

    private var terms: [Term] = []
    /// When events have to begin.
    private let times: Range<Int64>
    private let outcomes: AuditOutcomes

    init(_ query: AuditQuery) {
        let from = query.from?.milliseconds ?? .min
        times = from..<max(from, query.until?.milliseconds ?? .max)
        outcomes = query.outcomes
        func ask(_ field: Field, _ bytes: [UInt8]?) {
            if let bytes { terms.append(Term(field: field, bytes: bytes)) }
        }
        ask(.correlation, query.correlation.map { $0.high.bigEndianBytes + $0.low.bigEndianBytes })
        ask(.node, query.node?.digest.bytes)
        ask(.principal, query.principal.map { Array($0.description.utf8) })
        ask(.resource, query.resource.map { Array($0.description.utf8) })
        ask(.type, query.type.map { Array($0.rawValue.utf8) })
    }

    /// Whether only what failed is wanted.
    var isForFailures: Bool { outcomes == .failures }

    /// Whether the event that `record` begins is wanted, as far as its beginning tells.
    func admit(_ subject: AuditRecordOutline.Subject, of record: [UInt8]) -> Bool {
        times.contains(subject.time.milliseconds)
            && terms.allSatisfy { term in
                subject.hasValue(of: term.field) { record.holds(term.bytes, term.bytes.indices, at: $0) }
            }
    }

    /// Whether an event that stands thus is wanted.
    func admit(hasEnded: Bool, success: Bool) -> Bool { !isForFailures || hasEnded && !success }

    /// Whether a block may hold what is asked for.
    /// - Parameter block: the first and the last time at which one of its events begins.
    func admit(_ block: ClosedRange<Int64>) -> Bool {
        block.upperBound >= times.lowerBound && block.lowerBound < times.upperBound
    }

    /// Whether a block with this filter may hold what is asked for.
    func admit(_ filter: BlockFilter, salted salt: BlockFilter.Salt) -> Bool {
        terms.allSatisfy { term in
            filter.mayHold(term.bytes.withUnsafeBytes { salt.hash($0, of: term.field) })
        }
    }
}

extension AuditRecordOutline.Subject {
    /// Whether one of the values of `field` is so, by where in the record it stands.
    func hasValue(of field: AuditTerms.Field, where isSo: (Range<Int>) -> Bool) -> Bool {
        switch field {
        case .correlation: correlationBytes.map(isSo) ?? false
        case .node: isSo(source) || isSo(target)
        case .principal: principal.map(isSo) ?? false
        case .resource: resource.map(isSo) ?? false
        case .type: isSo(type)
        }
    }
}
