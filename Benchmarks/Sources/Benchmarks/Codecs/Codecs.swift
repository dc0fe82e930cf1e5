import Foundation
import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import MeshWire

/// What it takes to turn values into bytes and back, beside what a general coder takes for the same.
func codecComparisons() -> [Comparison] {
    [
        pair(
            "the head of a call", beside: "Foundation's JSON of such a head", over: PlainHead.sample,
            writes: { keep(try InvocationCodec.encode(CodecSamples.invocation)) },
            reads: {
                let bytes = try InvocationCodec.encode(CodecSamples.invocation)
                return { keep(try InvocationCodec.invocation(from: bytes)) }
            }),
        pair(
            "the head of an answer", beside: "Foundation's JSON of such a head", over: PlainHead.answer,
            writes: { keep(try InvocationCodec.encode(CodecSamples.answer)) },
            reads: {
                let bytes = try InvocationCodec.encode(CodecSamples.answer)
                return { keep(try InvocationCodec.answer(from: bytes)) }
            }),
        pair(
            "a record of the audit", beside: "Foundation's JSON of such a head", over: PlainHead.sample,
            writes: { keep(AuditRecordCodec.encode(CodecSamples.admitted)) },
            reads: {
                let bytes = AuditRecordCodec.encode(CodecSamples.admitted)
                return { keep(try AuditRecordCodec.decode(bytes)) }
            }),
        agreement(resources: 1), agreement(resources: 64), frames(), invites(),
    ]
}

/// An agreement, with Foundation's coders over the same value and the same bytes.
private func agreement(resources: Int) -> Comparison {
    let value = CodecSamples.agreement(resources: resources)
    return pair(
        "an agreement over \(resources) resources", beside: "Foundation's JSON, the same value", over: value,
        writes: { keep(try Document.encode(value)) },
        reads: {
            let bytes = try Document.encode(value)
            return { keep(try Document.decode(Agreement.self, from: bytes, limit: Limits.documentPayload)) }
        })
}

/// Writing and reading, beside Foundation's coders over `plain`.
private func pair<Plain: Codable & Sendable>(
    _ what: String, beside coder: String, over plain: Plain, writes: @escaping () throws -> Void,
    reads: @escaping () throws -> () throws -> Void
) -> Comparison {
    Comparison(
        area: "codecs", title: what,
        baseline: Sample("\(coder), written") {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return { count in for _ in 0..<count { keep(try encoder.encode(plain)) } }
        },
        others: [
            Sample("\(coder), read") {
                let bytes = try JSONEncoder().encode(plain)
                let decoder = JSONDecoder()
                return { count in for _ in 0..<count { keep(try decoder.decode(Plain.self, from: bytes)) } }
            },
            Sample("ours, written", each: writes),
            Sample("ours, read") {
                let read = try reads()
                return { count in for _ in 0..<count { try read() } }
            },
        ])
}

private func frames() -> Comparison {
    let header = FrameHeader(.data, payloadLength: 16_384, endsStream: false, stream: 77)
    return Comparison(
        area: "codecs", title: "the header of a frame",
        baseline: Sample("64 KiB copied") {
            let from = [UInt8](repeating: 7, count: 65_536)
            var to = [UInt8](repeating: 0, count: 65_536)
            return { count in
                for turn in 0..<count {
                    to.withUnsafeMutableBytes { $0.copyBytes(from: from) }
                    to[turn & 65_535] &+= 1
                }
                keep(to)
            }
        },
        others: [
            Sample("written") {
                var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
                return { count in
                    for _ in 0..<count { bytes.withUnsafeMutableBytes { header.write(into: $0) } }
                    keep(bytes)
                }
            },
            Sample("read") {
                var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
                bytes.withUnsafeMutableBytes { header.write(into: $0) }
                return { count in
                    for _ in 0..<count { keep(try bytes.withUnsafeBytes { try FrameHeader.read(from: $0) }) }
                }
            },
        ])
}

private func invites() -> Comparison {
    let invite = CodecSamples.invite
    return Comparison(
        area: "codecs", title: "the line of an invite",
        baseline: Sample("its 64 bytes in Foundation's base64, written") {
            let bytes = Data(repeating: 0x5a, count: 64)
            return { count in for _ in 0..<count { keep(bytes.base64EncodedString()) } }
        },
        others: [
            Sample("written") { keep(try InviteLine.encode(invite)) },
            Sample("read") {
                let line = try InviteLine.encode(invite)
                return { count in for _ in 0..<count { keep(try InviteLine.decode(line)) } }
            },
        ])
}
