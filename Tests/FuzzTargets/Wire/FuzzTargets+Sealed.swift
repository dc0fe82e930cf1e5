import MeshBase
import MeshRouting

@testable import MeshWire

/// Heads of which a part is sealed, that part once it was opened, and headers of sealed records.
extension FuzzTargets {
    private static func sealed(_ samples: inout Samples) throws -> [UInt8] {
        let call = samples.invocation()
        let key = samples.digest().bytes
        return try InvocationCodec.encode(
            call, bound: InvocationCodec.bound(of: call), to: EncryptionKey(key)!, encapsulated: key,
            sealed: Array(samples.text("ab", 16...60).utf8))
    }

    static let sealedInvocation = FuzzTarget(
        "sealed-invocation",
        samples: {
            var samples = Samples(seed: 1)
            return try (0..<6).map { _ in try sealed(&samples) }
        },
        read: { bytes in
            guard case .sealed(let call)? = try refusing({ try InvocationCodec.received(from: bytes) }) else {
                return .refused
            }
            let again = try InvocationCodec.encode(
                call.open, bound: InvocationCodec.bound(of: call.open), to: call.key,
                encapsulated: call.encapsulated, sealed: call.sealed)
            try hold(again == bytes, "writes itself otherwise: \(again)")
            return .taken
        })

    static let closedPart = FuzzTarget(
        "closed-part",
        samples: {
            var samples = Samples(seed: 2)
            return try (0..<6).map { _ in try InvocationCodec.closedPart(of: samples.invocation()) }
        },
        read: { bytes in
            var samples = Samples(seed: 1)
            guard case .sealed(let call) = try InvocationCodec.received(from: sealed(&samples)),
                let whole = try refusing({ try InvocationCodec.completed(call, by: bytes) })
            else { return .refused }
            try hold(try InvocationCodec.closedPart(of: whole) == bytes, "writes itself otherwise")
            return .taken
        })

    static let sealedRecord = FuzzTarget(
        "sealed-record",
        samples: {
            [SealedRecordHeader(.data, clearLength: 1), SealedRecordHeader(.last, clearLength: 0)]
                .map(\.encoded)
        },
        read: { bytes in
            guard let header = try refusing({ try SealedRecordHeader(from: bytes) }), let header else {
                return .refused
            }
            try hold(header.encoded.elementsEqual(bytes.prefix(4)), "writes itself otherwise")
            return .taken
        })
}
