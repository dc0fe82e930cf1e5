import MeshBase
import MeshNode
import MeshTrust

@testable import MeshAgreements
@testable import MeshGossip
@testable import MeshTrust
@testable import MeshWire

/// What travels in `document` frames, and what stands under signatures.
extension FuzzTargets {
    static let documents =
        [
            json, scalars, linkDocument, signed, agreement, approval, vouching, head, inception,
            houseAgreement,
            issuerCertificate, credential,
        ] + reconciliation + tokenRecord + bundle + partnerships

    /// Every message of a link. What is taken goes into machines and back onto wires, so it must be writable.
    static let linkDocument = FuzzTarget(
        "link-document", longest: 8_192,
        samples: { try LinkSamples.documents().map { try Document.encode($0) } },
        read: { bytes in
            let read = { try Document.decode(LinkDocument.self, from: bytes, limit: Limits.framePayload) }
            guard let document = try refusing(read) else { return .refused }
            try writesOnce(document)
            return .taken
        })

    /// The envelope (JWS) around one kind of document.
    static let signed = FuzzTarget(
        "signed",
        samples: { try [Document.encode(LinkSamples.signed(LinkSamples.head))] },
        read: { bytes in
            let read = { try Document.decode(Signed<Head>.self, from: bytes, limit: Limits.framePayload) }
            guard let signed = try refusing(read) else { return .refused }
            try hold((1...2).contains(signed.signatures.count), "\(signed.signatures.count) signatures")
            for signature in signed.signatures {
                let parts = signature.input.bytes.split(separator: UInt8(ascii: "."))
                try hold(
                    parts.count == 2 && Base64URL.decode(parts[1]) == signed.payload.bytes,
                    "a signature covers other bytes than the payload")
                try hold(
                    signature.value.bytes.count == 64, "a signature of \(signature.value.bytes.count) bytes")
            }
            let again = try Document.decode(
                Head.self, from: signed.payload.bytes, limit: Limits.documentPayload)
            try hold(again == signed.body, "the body is not what the payload says")
            try writesOnce(signed)
            return .taken
        })

    /// The payloads, in an envelope that is right: what would else be hidden behind base64url.
    static let agreement = payload(
        "agreement", LinkSamples.agreement, LinkSamples.approvedAgreement
    ) { _ = $0.isWellFormed }
    static let approval = payload("approval", LinkSamples.approval) { _ = $0.isWellFormed }
    static let vouching = payload("vouching", LinkSamples.vouching) { _ = $0.isWellFormed }
    static let head = payload("head", LinkSamples.head, LinkSamples.domainHead)
    static let houseAgreement = payload("house-agreement", LinkSamples.house) { _ = $0.isWellFormed }
    static let inception = payload("inception", LinkSamples.inception)
    static let issuerCertificate = payload("issuer-certificate", LinkSamples.issuerCertificate)
    static let credential = payload("credential", LinkSamples.credential)
    static let tokenRecord = LinkSamples.tokenRecord.map { [payload("token-record", $0)] } ?? []

    static let bundle = LinkSamples.bundle.map { [payload("bundle", $0) { _ = $0.flaw }] } ?? []
    static let partnerships =
        LinkSamples.partnerships.map { [payload("partnerships", $0) { _ = $0.isWellFormed }] } ?? []

    private static func payload<Body: SignedBody>(
        _ name: String, _ samples: Body..., use: @escaping @Sendable (Body) -> Void = { _ in }
    ) -> FuzzTarget {
        FuzzTarget(
            name,
            samples: { try samples.map { try Document.encode($0, textLimit: Body.textLimit) } },
            read: { payload in
                let envelope = try LinkSamples.envelope(of: Body.kind, around: payload)
                let read = {
                    try Document.decode(Signed<Body>.self, from: envelope, limit: Limits.framePayload)
                }
                guard let signed = try refusing(read) else { return .refused }
                try hold(signed.payload.bytes == payload, "the payload's bytes are not those that came")
                use(signed.body)
                try writesOnce(signed.body, textLimit: Body.textLimit)
                return .taken
            })
    }

    /// The top of a JSON object, as `/invoke` makes a query of it.
    static let scalars = FuzzTarget(
        "scalars",
        samples: { [#"{"b":1,"a":"x","c":[1],"d":true}"#, "{}"].map { Array($0.utf8) } },
        read: { bytes in
            guard let scalars = Document.scalars(of: bytes) else { return .refused }
            let names = scalars.map(\.name)
            try hold(zip(names, names.dropFirst()).allSatisfy { $0 < $1 }, "names in no order: \(names)")
            return .taken
        })

    /// What was read can be written, is read alike, and has one form.
    static func writesOnce<Value: Codable & Equatable>(
        _ value: Value, textLimit: Int = Limits.documentText
    ) throws {
        let limit = 2 * Limits.framePayload
        let form = try Document.encode(value, textLimit: textLimit)
        let again = try Document.decode(Value.self, from: form, limit: limit, textLimit: textLimit)
        try hold(again == value, "written and read again it is another \(Value.self)")
        try hold(
            try Document.encode(again, textLimit: textLimit) == form,
            "there are two forms of one \(Value.self)")
    }
}
