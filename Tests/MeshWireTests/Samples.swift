import MeshAudit
import MeshBase
import MeshRouting

@testable import MeshWire

/// Values that tests send through the codecs, drawn from a seed.
struct Samples {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int(generator.number(below: UInt64(bound))) }
    mutating func bytes(_ count: Int) -> [UInt8] { generator.bytes(count) }
    mutating func perhaps<Value>(_ value: Value) -> Value? { below(2) == 0 ? value : nil }
    mutating func digest() -> Digest { Digest(bytes(32))! }
    mutating func number() -> Int64 { Int64(bitPattern: generator.next()) }
    mutating func correlation() -> CorrelationID {
        CorrelationID(high: generator.next(), low: generator.next())
    }
    mutating func text(_ alphabet: String, _ lengths: ClosedRange<Int>) -> String {
        let characters = Array(alphabet)
        return String(
            (0..<lengths.lowerBound + below(lengths.count)).map { _ in characters[below(characters.count)] })
    }

    mutating func headers() -> [HeaderField] {
        (0..<below(5)).map { _ in
            HeaderField(
                text("abcxyz-0!", 1...20), text("ab", 1...1) + text("ab ;é\t", 0...30) + text("ab", 1...1))
        }
    }

    mutating func invocation() -> Invocation {
        Invocation(
            correlation: correlation(), attempt: UInt8(1 + below(255)),
            traceparent: perhaps("00-" + text("0af", 32...32)),
            agreement: perhaps(digest()), principal: Principal(text("aZ é@", 1...40))!,
            purpose: perhaps(Purpose(text("ab9", 1...20))!), resource: ResourceName(text("ab9", 1...20))!,
            capability: ResourceName(text("ab9", 1...20))!, method: text("GETPOS", 1...8),
            path: "/" + text("ab/%~.", 0...200),
            query: perhaps(text("a=&?/", 0...40)), headers: headers(),
            remainingMilliseconds: UInt32(below(1 << 32)),
            deadlineScope: below(2) == 0 ? .answerHead : .wholeCall,
            idempotencyKey: perhaps(text("ab \"", 1...128)), body: requestBody())
    }

    mutating func requestBody() -> RequestBody {
        switch below(4) {
        case 0: .none
        case 1: .whole(length: Int64(1 + below(Limits.callBody)), digest: digest())
        case 2: .streamed(length: nil)
        default: .streamed(length: 1 + Int64(below(1 << 40)))
        }
    }

    mutating func refusals() -> [Refusal] {
        (0..<below(3)).map { _ in Refusal(RefusalCode.allCases[below(RefusalCode.allCases.count)], facts()) }
    }

    mutating func facts() -> [Fact] {
        (0..<below(4)).map { _ in Fact(text("abc ", 0...20), text("ab: é", 0...60)) }
    }

    mutating func answer() -> InvocationAnswer {
        below(2) == 0
            ? .answered(status: UInt16(200 + below(400)), headers: headers())
            : .refused(refusals(), effect: below(2) == 0 ? .none : .possible)
    }

    mutating func event() -> AuditEvent {
        AuditEvent(
            id: correlation(), time: WallTime(milliseconds: number()),
            type: AuditEventType.allCases[below(AuditEventType.allCases.count)],
            correlation: perhaps(correlation()),
            source: NodeID(digest()), target: NodeID(digest()), principal: perhaps(Principal("local")!),
            resource: perhaps(.echo), capability: perhaps(ResourceName("read")!),
            action: text("abc ", 0...20),
            success: below(2) == 0, refusals: refusals(), durationInMilliseconds: number(),
            agreement: perhaps(digest()),
            requestDigest: perhaps(digest()), requestLength: number(), answerDigest: perhaps(digest()),
            answerLength: number(), status: perhaps(UInt16(below(65536))), attempt: UInt8(below(256)),
            traceparent: perhaps("00-ab"), breaker: perhaps("half-open"), metadata: facts())
    }

    mutating func record() -> AuditRecord {
        switch below(3) {
        case 0: .admitted(event())
        case 1: .event(event())
        default:
            .settled(
                AuditSettlement(
                    id: correlation(), time: WallTime(milliseconds: number()), success: below(2) == 0,
                    refusals: refusals(), durationInMilliseconds: number(), answerDigest: perhaps(digest()),
                    answerLength: number(), status: perhaps(UInt16(below(65536))),
                    request: perhaps(BodySummary(length: number(), digest: perhaps(digest())))))
        }
    }

    mutating func invite() -> Invite {
        let hosts = [
            "192.0.2.\(below(256))", "2001:db8::\(String(1 + below(65535), radix: 16))", "::", "a.example",
            "fe80::1%eth0",
        ]
        let endpoints = (0..<below(4)).map { _ in
            Endpoint(host: hosts[below(hosts.count)], port: UInt16(1 + below(65535)))
        }
        return Invite(
            inviter: NodeID(digest()), endpoints: endpoints, secret: Octets(bytes(16)),
            expires: WallTime(milliseconds: Int64(below(1 << 32)) * 1000))
    }
}

extension JWS {
    /// What a signer answers with: `value` over `signingInput`.
    static func signature(_ value: [UInt8], kind: DocumentKind, signer: Pin, payload: [UInt8])
        -> DocumentSignature
    {
        let input = signingInput(kind: kind, signer: signer, payload: payload)
        return DocumentSignature(signer: signer, input: Octets(input), value: Octets(value))
    }
}
