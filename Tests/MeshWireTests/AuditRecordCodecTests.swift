import MeshAudit
import MeshBase
import Testing

@testable import MeshWire

@Suite("Records of the audit")
struct AuditRecordCodecTests {
    @Test("a record comes back as it was written")
    func roundTrip() throws {
        var samples = Samples(seed: 5)
        for _ in 0..<1000 {
            let record = samples.record()
            #expect(try AuditRecordCodec.decode(AuditRecordCodec.encode(record)) == record)
        }
    }

    @Test("whatever happened has a record within the bound, and what was cut shows")
    func alwaysFits() throws {
        var samples = Samples(seed: 6)
        var event = samples.event()
        let huge = "\u{1b}]0;\u{202e}" + String(repeating: "long text ", count: 10_000)
        event.action = huge
        event.traceparent = huge
        event.breaker = huge
        event.principal = Principal(String(repeating: "p", count: 256))
        event.refusals = [Refusal](
            repeating: Refusal(.overloaded, [Fact(huge, huge), Fact("a", huge)]), count: 300)
        event.metadata = [Fact("first", "kept")] + [Fact](repeating: Fact(huge, huge), count: 300)
        let bytes = AuditRecordCodec.encode(.event(event))
        #expect(bytes.count <= Limits.auditRecord)
        guard case .event(let back) = try AuditRecordCodec.decode(bytes) else {
            Issue.record("not an event")
            return
        }
        #expect(back.metadata.first == Fact("first", "kept"))
        #expect(back.metadata.last == Fact("left out", 301 - (back.metadata.count - 1)))
        #expect(back.refusals.last?.facts.last?.name == "further refusals left out")
        #expect(
            back.action.hasPrefix("\u{fffd}]0;\u{fffd}long") && back.action.hasSuffix("…")
                && back.action.utf8.count <= 256)
        #expect(
            try AuditRecordCodec.decode(AuditRecordCodec.encode(.event(back))) == .event(back),
            "cutting twice cuts once")
    }

    @Test("a text that no document may hold is repaired, so that a partner can be told of it")
    func repairsTexts() throws {
        var samples = Samples(seed: 21)
        var event = samples.event()
        event.principal = Principal("e\u{301}")
        event.metadata = [Fact("path", "e\u{301}\u{0}"), Fact("none", "")]
        guard case .event(let back) = try AuditRecordCodec.decode(AuditRecordCodec.encode(.event(event)))
        else {
            Issue.record("not an event")
            return
        }
        #expect(back.metadata.map { Array($0.value.utf8) } == [Array("\u{e9}\u{fffd}".utf8), []])
        #expect(back.principal.map { Array($0.description.utf8) } == Array("\u{e9}".utf8))
        #expect(throws: Never.self) { try Document.encode(back.metadata) }
        let composing = String(repeating: "\u{3b1}\u{313}\u{300}\u{345}", count: 100)
        #expect(
            Fitting.text(composing, limit: 256).hasSuffix("…"),
            "a text that shrinks when it is normalised is cut visibly")
    }

    @Test("a record of another version or length is refused")
    func isExact() {
        var samples = Samples(seed: 7)
        let bytes = AuditRecordCodec.encode(samples.record())
        #expect(throws: WireError.versionUnknown(9)) { try AuditRecordCodec.decode([9] + bytes.dropFirst()) }
        #expect(throws: WireError.trailingBytes(at: bytes.count)) { try AuditRecordCodec.decode(bytes + [0]) }
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try AuditRecordCodec.decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: WireError.self) {
            try AuditRecordCodec.decode([UInt8](repeating: 1, count: Limits.auditRecord + 1))
        }
    }

    @Test("a usual event takes less than 300 bytes")
    func isCompact() {
        var samples = Samples(seed: 8)
        var event = samples.event()
        (event.refusals, event.metadata) = ([], [])
        #expect(AuditRecordCodec.encode(.admitted(event)).count < 300)
    }

    @Test("an outline says of a record what the record says, and where")
    func outline() throws {
        var samples = Samples(seed: 9)
        for _ in 0..<500 {
            let record = samples.record()
            let bytes = AuditRecordCodec.encode(record)
            let outline = try bytes.withUnsafeBytes { raw throws(WireError) in try AuditRecordOutline(raw) }
            let id = CorrelationID(bytes: bytes[AuditRecordOutline.idBytes])
            #expect(outline.id == id)
            switch (try AuditRecordCodec.decode(bytes), outline.part) {
            case (.settled(let settlement), .settled):
                #expect(settlement.id == id && settlement.success == outline.success)
            case (.admitted(let event), .admitted(let subject)), (.event(let event), .whole(let subject)):
                #expect(event.id == id && event.success == outline.success)
                #expect(subject.time == event.time && subject.attempt == event.attempt)
                #expect(Array(bytes[subject.type]) == Array(event.type.rawValue.utf8))
                #expect(Array(bytes[subject.source]) == event.source.digest.bytes)
                #expect(Array(bytes[subject.target]) == event.target.digest.bytes)
                #expect(subject.correlation == event.correlation)
                #expect(
                    subject.correlationBytes.map { CorrelationID(bytes: bytes[$0]) } == event.correlation)
                #expect(
                    subject.principal.map { Array(bytes[$0]) }
                        == event.principal.map { Array($0.description.utf8) })
                #expect(
                    subject.resource.map { Array(bytes[$0]) }
                        == event.resource.map { Array($0.description.utf8) })
            case (let record, let part): Issue.record("\(part) of \(record)")
            }
        }
    }
}

extension CorrelationID {
    fileprivate init(bytes: ArraySlice<UInt8>) {
        func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes.prefix(8)), low: word(bytes.dropFirst(8)))
    }
}
