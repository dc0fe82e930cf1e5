import Foundation
import MeshBase
import MeshCredentials
import MeshRouting
import MeshWire

/// What sealing a call costs at both ends together, beside the same heads written and read in clear and the
/// same bytes copied once at each end.
func sealingComparisons() -> [Comparison] {
    [("200 bytes", 200), ("64 KiB", 64 * 1024)].map { size, length in
        Comparison(
            area: "sealing", title: "a call of \(size), answered with as much: heads and bodies, both ends",
            baseline: .clear(length), others: [.sealed(length)])
    }
}

extension Sample {
    fileprivate static func clear(_ length: Int) -> Sample {
        Sample("in clear") {
            let sealing = try Sealing(length)
            var call = sealing.call
            call.sealedTo = nil
            return { count in
                for _ in 0..<count {
                    keep(try InvocationCodec.received(from: InvocationCodec.encode(call)))
                    keep(try InvocationCodec.answer(from: InvocationCodec.encode(sealing.answer)))
                    for _ in 0..<2 { keep(Array(sealing.body.withUnsafeBytes { Array($0) })) }
                }
            }
        }
    }

    fileprivate static func sealed(_ length: Int) -> Sample {
        Sample("sealed") {
            let sealing = try Sealing(length)
            return { count in for _ in 0..<count { try sealing.pass() } }
        }
    }
}

/// Two ends and what passes between them.
private struct Sealing {
    let keys: EncryptionKeys
    let call: Invocation
    let body: [UInt8]
    let answer = CodecSamples.answer
    let caller = CallWorld.node(0)
    let callee = CallWorld.node(1)

    init(_ length: Int) throws {
        let path = NSTemporaryDirectory() + "comity-benchmark-" + UUID().uuidString
        keys = try EncryptionKeys.load(from: path)
        let held = try keys.renew(at: WallTime(milliseconds: 1_800_000_000_000))
        try FileManager.default.removeItem(atPath: path)
        var call = CodecSamples.invocation
        call.sealedTo = held?.current
        self.call = call
        body = [UInt8](repeating: 7, count: length)
    }

    func pass() throws {
        var consumer = try ConsumerSeal(call, from: caller, to: callee)
        guard case .sealed(let sealed) = try InvocationCodec.received(from: consumer.head) else {
            throw Unfit("a head is not sealed")
        }
        var provider = try ProviderSeal.open(sealed, with: keys, from: caller, to: callee).seal
        for piece in [
            try body.withUnsafeBytes { try consumer.seal($0) }, try consumer.end(trailers: []),
        ] {
            keep(try piece.withUnsafeBytes { try provider.open($0) })
        }
        keep(try provider.finish())
        let nonce = [UInt8](repeating: 5, count: InvocationCodec.answerNonceLength)
        let head = try provider.sealAnswer(InvocationCodec.encode(answer), nonce: nonce)
        keep(try InvocationCodec.answer(from: consumer.openAnswer(nonce: nonce, head)))
        for piece in [
            try body.withUnsafeBytes { try provider.seal($0) }, try provider.end(trailers: []),
        ] {
            keep(try piece.withUnsafeBytes { try consumer.open($0) })
        }
        keep(try consumer.finish())
    }
}
