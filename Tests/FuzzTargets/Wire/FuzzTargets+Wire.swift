import MeshBase
import MeshRouting

@testable import MeshWire

/// Frames, heads of calls, audit records, invites, mDNS texts, and what operators and applications write.
extension FuzzTargets {
    static let wire = [
        frameHeader, framePayload, invocation, sealedInvocation, closedPart, sealedRecord, answer, trailers,
        circuit, auditRecord, invite, inviteFields, sighting,
        requestPath, capability, headerFields, texts,
    ]

    private static func drawn(_ count: Int = 6, _ draw: (inout Samples) throws -> [UInt8]) rethrows
        -> [[UInt8]]
    {
        var samples = Samples(seed: 1)
        return try (0..<count).map { _ in try draw(&samples) }
    }

    /// Whatever is thrown but `WireError` is no refusal, and goes on to whoever drives the target.
    static func refusing<Value>(_ read: () throws -> Value) throws -> Value? {
        do {
            return try read()
        } catch let error as WireError {
            try hold(error.description.isPlain, "a refusal repeats bytes that are not plain: \(error)")
            return nil
        }
    }

    private static let frameHeader = FuzzTarget(
        "frame-header", longest: 64,
        samples: {
            FrameKind.allCases.map { kind in
                let stream: UInt32 = kind.mayStand(on: 0) ? 0 : 7
                let header = FrameHeader(
                    kind, payloadLength: 65_536, endsStream: kind.mayEndStream, stream: stream)
                return written(header)
            }
        },
        read: { bytes in
            let read = {
                try ByteReader.over(bytes) { (raw) throws(WireError) in try FrameHeader.read(from: raw) }
            }
            guard let header = try refusing(read) ?? nil else { return .refused }
            try hold(
                header.payloadLength <= Limits.framePayload, "a payload of \(header.payloadLength) bytes")
            guard header.kind != nil else { return .taken }
            let again = written(header)
            // Who writes never asks to be skipped; who reads does not mind it.
            var expected = Array(bytes.prefix(FrameHeader.length))
            expected[5] &= 0x7f
            try hold(again == expected, "read as another frame: \(again)")
            return .taken
        })

    private static func written(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
        bytes.withUnsafeMutableBytes { header.write(into: $0) }
        return bytes
    }

    private static let circuit = FuzzTarget(
        "circuit", longest: 64,
        samples: {
            drawn { samples in CircuitCodec.head(of: NodeID(samples.digest())) }
        },
        read: { bytes in
            guard
                let caller = try refusing({
                    try ByteReader.over(bytes) { (raw) throws(WireError) in try CircuitCodec.caller(from: raw)
                    }
                })
            else { return .refused }
            try hold(CircuitCodec.head(of: caller) == bytes, "read as the head of another: \(caller)")
            return .taken
        })

    /// The first byte says which payload the others are.
    private static let framePayload = FuzzTarget(
        "frame-payload", longest: 128,
        samples: {
            [
                [0] + FramePayload.reset(.cancelled), [1] + FramePayload.window(credit: Limits.linkWindow),
                [2] + FramePayload.goAway(GoAway(lastStream: 9, code: .draining)),
            ]
        },
        read: { bytes in
            guard let kind = bytes.first else { return .refused }
            let payload = Array(bytes.dropFirst())
            switch kind % 3 {
            case 0:
                guard let code = try refusing({ try ByteReader.over(payload, FramePayload.reset(from:)) })
                else {
                    return .refused
                }
                if let code { try hold(FramePayload.reset(code) == payload, "another code: \(code)") }
            case 1:
                guard let credit = try refusing({ try ByteReader.over(payload, FramePayload.window(from:)) })
                else {
                    return .refused
                }
                try hold(FramePayload.window(credit: credit) == payload, "another credit: \(credit)")
            default:
                guard let goAway = try refusing({ try ByteReader.over(payload, FramePayload.goAway(from:)) })
                else {
                    return .refused
                }
                if goAway.code != nil {
                    try hold(FramePayload.goAway(goAway) == payload, "another farewell: \(goAway)")
                }
            }
            return .taken
        })

    private static let invocation = FuzzTarget(
        "invocation",
        samples: { try drawn { try InvocationCodec.encode($0.invocation()) } },
        read: { bytes in
            guard let call = try refusing({ try InvocationCodec.invocation(from: bytes) }) else {
                return .refused
            }
            let again = try InvocationCodec.encode(call)
            try hold(again == bytes, "writes itself otherwise: \(again)")
            return .taken
        })

    private static let answer = FuzzTarget(
        "answer",
        samples: { try drawn { try InvocationCodec.encode($0.answer()) } },
        read: { bytes in
            guard let answer = try refusing({ try InvocationCodec.answer(from: bytes) }) else {
                return .refused
            }
            let again = try InvocationCodec.encode(answer)
            if case .refused(let refusals, _) = answer {
                // A later version's code comes back under another name, and what is too much is cut.
                let laterVersion = refusals.contains { $0.code == .versionUnsupported }
                let fits = Fitting.refusals(refusals) == refusals
                try hold(laterVersion || !fits || again == bytes, "writes itself otherwise: \(again)")
            } else {
                try hold(again == bytes, "writes itself otherwise: \(again)")
            }
            return .taken
        })

    private static let trailers = FuzzTarget(
        "trailers",
        samples: { [[]] + (try drawn { try InvocationCodec.encode(trailers: $0.headers()) }) },
        read: { bytes in
            let read = { try ByteReader.over(bytes, InvocationCodec.trailers(from:)) }
            guard let trailers = try refusing(read) else { return .refused }
            let again = try InvocationCodec.encode(trailers: trailers)
            try hold(again == bytes, "writes itself otherwise: \(again)")
            return .taken
        })

    private static let auditRecord = FuzzTarget(
        "audit-record",
        samples: { drawn { AuditRecordCodec.encode($0.record()) } },
        read: { bytes in
            let outline = try refusing {
                try bytes.withUnsafeBytes { raw throws(WireError) in try AuditRecordOutline(raw) }
            }
            guard let record = try refusing({ try AuditRecordCodec.decode(bytes) }) else { return .refused }
            try hold(outline != nil, "a record without an outline")
            let again = AuditRecordCodec.encode(record)
            // The journal is our own, so what does not fit is cut once, and then stays as it is.
            let second = AuditRecordCodec.encode(try AuditRecordCodec.decode(again))
            try hold(second == again, "is cut anew each time: \(again) \(second)")
            return .taken
        })
}
