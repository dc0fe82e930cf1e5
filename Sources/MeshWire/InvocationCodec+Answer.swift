import MeshBase
import MeshRouting

extension InvocationCodec {
    private static var answerVersion: UInt8 { 1 }
    /// What an answer may say: how a resource answers at last, or that a WebSocket is open.
    private static func isStatus(_ status: UInt16) -> Bool {
        (200...599).contains(status) || status == WebSocketUpgrade.status
    }

    private enum Outcome {
        static let answered: UInt8 = 0
        static let refused: UInt8 = 1
    }

    /// A refusal always has an encoding: what is too long in it is cut, visibly (`Fitting`).
    /// - Throws: `fieldRefused` and `tooLong` for a resource's answer that the other side would refuse.
    public static func encode(_ answer: InvocationAnswer) throws(WireError) -> [UInt8] {
        var writer = ByteWriter(reserving: 256)
        writer.append(answerVersion)
        switch answer {
        case .answered(let status, let headers):
            writer.append(Outcome.answered)
            guard isStatus(status) else { throw .fieldRefused("status", at: writer.count) }
            writer.append(number: status)
            try writer.append(headers: headers)
        case .refused(let refusals, let effect):
            writer.append(Outcome.refused)
            writer.append(effect.rawValue)
            writer.append(refusals: refusals)
        }
        return try bounded(writer)
    }

    /// - Throws: at the first byte that is not as `encode` would have written it.
    public static func answer(from bytes: UnsafeRawBufferPointer) throws(WireError) -> InvocationAnswer {
        var reader = try ByteReader(bytes, limit: Limits.invocationHead)
        try reader.version(answerVersion)
        let outcome = try reader.byte()
        let answer: InvocationAnswer
        switch outcome {
        case Outcome.answered:
            let status = try reader.number(UInt16.self)
            guard isStatus(status) else { throw .fieldRefused("status", at: reader.offset - 2) }
            answer = .answered(status: status, headers: try reader.headers())
        case Outcome.refused:
            guard let effect = PossibleEffect(rawValue: try reader.byte()) else {
                throw .fieldRefused("effect", at: reader.offset - 1)
            }
            answer = .refused(try reader.refusals(), effect: effect)
        default: throw .fieldRefused("outcome", at: reader.offset - 1)
        }
        try reader.finish()
        return answer
    }

    /// As `answer(from:)` over a buffer.
    public static func answer(from bytes: [UInt8]) throws(WireError) -> InvocationAnswer {
        try ByteReader.over(bytes, answer(from:))
    }
}

extension ByteWriter {
    /// What fits of them (`Fitting`).
    mutating func append(refusals: [Refusal]) {
        let fitted = Fitting.refusals(refusals)
        append(length: fitted.count)
        for refusal in fitted {
            append(text: refusal.code.rawValue)
            append(fitted: refusal.facts)
        }
    }

    /// What fits of them (`Fitting`).
    mutating func append(facts: [Fact]) {
        append(fitted: Fitting.fits(facts) ? facts : Fitting.facts(facts))
    }

    private mutating func append(fitted facts: [Fact]) {
        append(length: facts.count)
        for fact in facts {
            append(text: fact.name)
            append(text: fact.value)
        }
    }
}

extension ByteReader {
    /// A code of a later version becomes `version-unsupported` with that code as its first fact: an answer
    /// must not become unreadable because the provider knows one reason more.
    mutating func refusals() throws(WireError) -> [Refusal] {
        var refusals: [Refusal] = []
        for _ in 0..<(try length()) {
            let text = try text("refusal code", .code, limit: Fitting.nameLimit)
            let facts = try facts()
            if let code = RefusalCode(rawValue: text) {
                refusals.append(Refusal(code, facts))
            } else {
                refusals.append(Refusal(.versionUnsupported, [Fact("code", text)] + facts))
            }
        }
        return refusals
    }

    mutating func facts() throws(WireError) -> [Fact] {
        var facts: [Fact] = []
        for _ in 0..<(try length()) {
            let name = try text("name of a fact", .plain, limit: Fitting.nameLimit)
            facts.append(Fact(name, try text("value of a fact", .plain, limit: Limits.documentText)))
        }
        return facts
    }
}
