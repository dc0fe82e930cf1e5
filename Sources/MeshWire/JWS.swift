import MeshBase

/// Signed documents as JSON Web Signatures (RFC 7515) by ES256 (RFC 7518 section 3.4): what the shell signs,
/// and how what came is read.
///
/// Writing one: the identity key signs `signingInput`, and `Signed` writes itself in the general
/// serialisation. Reading one: `Document.decode(Signed<Body>.self, ...)`.
public enum JWS {
    /// r and s, 32 bytes each.
    static let signatureLength = 64

    /// The bytes to sign: the protected header and the payload in base64url with a full stop between them
    /// (RFC 7515 section 5.1).
    public static func signingInput(kind: DocumentKind, signer: Pin, payload: [UInt8]) -> [UInt8] {
        // Sorted, without white space: the one form that `Document.encode` would write. None of the three
        // needs an escape.
        let header = #"{"alg":"ES256","kid":"\#(signer)","typ":"\#(type(of: kind))"}"#
        return Array("\(Base64URL.encode(header.utf8)).\(Base64URL.encode(payload))".utf8)
    }

    /// The `typ` of a kind of document.
    static func type(of kind: DocumentKind) -> String { "comity-\(kind.rawValue)+json" }
}

/// The protected header: these three members and no other, so that nothing in it can point elsewhere (`jku`,
/// `x5u`, `crit`).
private struct ProtectedHeader: Decodable {
    let alg: String
    let kid: Pin
    let typ: String
}

/// The general JSON serialisation (RFC 7515 section 7.2.1), without unprotected headers.
private struct Envelope: Decodable {
    struct Part: Decodable {
        let protected: String
        let signature: Octets
    }
    let payload: String
    let signatures: [Part]
}

extension DocumentDecoder: SignedDocumentReading {
    /// Bytes of a protected header, with room for other spacing than ours.
    private static var headerLimit: Int { 256 }

    /// The document here: one signature or two by different signers, all of its kind, its payload parsed as
    /// strictly as this one. Nothing is verified yet: `Signed.isSigned(by:using:)` does that over the very
    /// bytes that came.
    func signedDocument<Body: SignedBody>() throws -> Signed<Body> {
        let offset = reading.tree.nodes[node].offset
        let envelope = try reading.value(Envelope.self, at: node)
        let payloadLimit = Limits.documentPayload
        guard envelope.payload.utf8.count <= (payloadLimit * 4 + 2) / 3 else {
            throw WireError.tooLong(bytes: envelope.payload.utf8.count / 4 * 3, limit: payloadLimit)
        }
        guard let payload = Base64URL.decode(envelope.payload) else {
            throw WireError.envelopeRefused("the payload is not base64url", at: offset)
        }
        guard (1...2).contains(envelope.signatures.count) else {
            throw WireError.envelopeRefused("\(envelope.signatures.count) signatures", at: offset)
        }
        var signatures: [DocumentSignature] = []
        for part in envelope.signatures {
            let signature = try self.signature(part, of: Body.kind, over: envelope.payload, at: offset)
            guard !signatures.contains(where: { $0.signer == signature.signer }) else {
                throw WireError.envelopeRefused("two signatures by one signer", at: offset)
            }
            signatures.append(signature)
        }
        do throws(WireError) {
            let body: Body = try Document.decode(
                from: payload, limit: payloadLimit, textLimit: max(reading.textLimit, Body.textLimit))
            return Signed(body: body, payload: Octets(payload), signatures: signatures)
        } catch {
            throw WireError.payloadRefused(error, at: offset)
        }
    }

    private func signature(
        _ part: Envelope.Part, of kind: DocumentKind, over payload: String, at offset: Int
    ) throws(WireError) -> DocumentSignature {
        guard part.signature.bytes.count == JWS.signatureLength else {
            throw .envelopeRefused("a signature of \(part.signature.bytes.count) bytes", at: offset)
        }
        guard let bytes = Base64URL.decode(part.protected) else {
            throw .envelopeRefused("a protected header that is not base64url", at: offset)
        }
        let header: ProtectedHeader
        do throws(WireError) {
            header = try Document.decode(from: bytes, limit: Self.headerLimit)
        } catch {
            throw .envelopeRefused("in a protected header: \(error)", at: offset)
        }
        guard header.alg == "ES256" else {
            throw .envelopeRefused("an algorithm other than ES256", at: offset)
        }
        guard header.typ == JWS.type(of: kind) else {
            throw .envelopeRefused("its type is \(header.typ), not \(JWS.type(of: kind))", at: offset)
        }
        let input = Array(part.protected.utf8) + [UInt8(ascii: ".")] + Array(payload.utf8)
        return DocumentSignature(signer: header.kid, input: Octets(input), value: part.signature)
    }
}
