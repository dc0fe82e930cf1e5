import Foundation
import MeshBase
import MeshWire

/// Cuts a body into records and seals them: each bound to its number, its kind and its length, the last one
/// marked (Docs/Protocol.md, Sealed payloads; the STREAM construction with its final flag).
struct SealedBodyWriter: Sendable {
    private var cipher: RecordCipher
    private var records = 0

    init(_ cipher: RecordCipher) { self.cipher = cipher }

    /// The records of a piece; none of an empty one.
    mutating func seal(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        var sealed: [UInt8] = []
        let count = (piece.count + Limits.sealedRecord - 1) / Limits.sealedRecord
        sealed.reserveCapacity(
            piece.count + count * (SealedRecordHeader.length + SealedRecordHeader.tagLength))
        var start = 0
        while start < piece.count {
            let end = min(start + Limits.sealedRecord, piece.count)
            try append(.data, UnsafeRawBufferPointer(rebasing: piece[start..<end]), to: &sealed)
            start = end
        }
        return sealed
    }

    /// The last record.
    mutating func end(trailers: [UInt8]) throws(SealError) -> [UInt8] {
        var sealed: [UInt8] = []
        try append(.last, trailers, to: &sealed)
        return sealed
    }

    private mutating func append(
        _ kind: SealedRecordHeader.Kind, _ clear: some DataProtocol, to sealed: inout [UInt8]
    ) throws(SealError) {
        guard records < Limits.sealedRecords else { throw .tooManyRecords }
        records += 1
        let header = SealedRecordHeader(kind, clearLength: clear.count).encoded
        sealed += header
        sealed += try cipher.seal(clear, authenticating: header)
    }
}

/// Puts sealed records together again from pieces cut anywhere, and opens them in their order.
///
///     open --records--> open --last record--> ended --anything--> refused
///
/// At most one record is kept. After an error nothing more is opened.
struct SealedBodyReader: Sendable {
    private var cipher: RecordCipher
    private var waiting: [UInt8] = []
    private var records = 0
    /// What the last record held; nil before it.
    private(set) var trailers: [UInt8]?

    init(_ cipher: RecordCipher) { self.cipher = cipher }

    /// Takes the next piece; answers with what of the body it completed.
    mutating func open(_ piece: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        guard piece.isEmpty || trailers == nil else { throw .beyondEnd }
        waiting += piece
        var clear: [UInt8] = []
        var start = 0
        while let header = try header(at: start),
            waiting.count - start >= SealedRecordHeader.length + header.sealedLength
        {
            guard trailers == nil else { throw .beyondEnd }
            guard records < Limits.sealedRecords else { throw .tooManyRecords }
            records += 1
            let body = start + SealedRecordHeader.length
            let end = body + header.sealedLength
            let opened = try cipher.open(waiting[body..<end], authenticating: Array(waiting[start..<body]))
            switch header.kind {
            case .data: clear += opened
            case .last: trailers = Array(opened)
            }
            start = end
        }
        if start > 0 { waiting.removeFirst(start) }
        guard trailers == nil || waiting.isEmpty else { throw .beyondEnd }
        return clear
    }

    /// The body's stream has ended: whether that is where its last record stood.
    func finish() throws(SealError) -> [UInt8] {
        guard let trailers else { throw .truncated }
        return trailers
    }

    private func header(at start: Int) throws(SealError) -> SealedRecordHeader? {
        do throws(WireError) {
            return try SealedRecordHeader(from: waiting[start...])
        } catch {
            throw .recordMalformed
        }
    }
}
