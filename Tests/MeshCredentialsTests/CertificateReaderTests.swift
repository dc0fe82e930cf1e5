import Crypto
import Foundation
import MeshBase
import MeshTrust
import SwiftASN1
import Testing
import X509

@testable import MeshCredentials

@Suite("The reader of node certificates")
struct CertificateReaderTests {
    let workshop = CertificateWorkshop()

    private func refusal(of der: [UInt8]) -> String? {
        do {
            _ = try CertificateReader.facts(der: der)
            return nil
        } catch {
            guard case .certificateMalformed(let what) = error else { return "another error: \(error)" }
            return what
        }
    }

    private func refusal(_ change: (inout CertificateWorkshop) -> Void) throws -> String? {
        refusal(of: try workshop.changed(change).certificate())
    }

    @Test("takes what is of the profile")
    func profile() throws {
        #expect(try refusal { _ in } == nil)
    }

    @Test("takes a further extension that is not critical, and refuses a critical one")
    func furtherExtension() throws {
        let note = Certificate.Extension(oid: [1, 2, 3, 4], critical: false, value: [5, 0])
        #expect(try refusal { $0.more = [note] } == nil)
        let order = Certificate.Extension(oid: [1, 2, 3, 4], critical: true, value: [5, 0])
        #expect(try refusal { $0.more = [order] } == "a critical extension that is not of the profile")
    }

    @Test("refuses more than 8 KiB before it looks at any of it")
    func tooLong() throws {
        let padding = Certificate.Extension(
            oid: [1, 2, 3, 4], critical: false, value: [UInt8](repeating: 0, count: 8_000)[...])
        #expect(try refusal { $0.more = [padding] } == "more than 8192 bytes")
        #expect(refusal(of: [UInt8](repeating: 0x30, count: 1_000_000)) == "more than 8192 bytes")
    }

    @Test("refuses bytes behind the certificate, and a certificate cut anywhere")
    func notWhole() throws {
        let der = try workshop.certificate()
        #expect(refusal(of: der + [0]) == "not one X.509 certificate in DER")
        for length in 0..<der.count { #expect(refusal(of: Array(der[..<length])) != nil) }
    }

    @Test("refuses a certificate without key usage, or with another one")
    func keyUsage() throws {
        let what = "a key usage other than digitalSignature"
        #expect(try refusal { $0.usage = nil } == what)
        #expect(try refusal { $0.usage = KeyUsage(digitalSignature: true, keyCertSign: true) } == what)
        #expect(try refusal { $0.usage = KeyUsage(keyAgreement: true) } == what)
    }

    @Test("refuses a certificate without extended key usage, or with less or more than both ends of TLS")
    func extendedKeyUsage() throws {
        let what = "an extended key usage other than clientAuth and serverAuth"
        #expect(try refusal { $0.extendedUsage = nil } == what)
        #expect(try refusal { $0.extendedUsage = [.clientAuth] } == what)
        #expect(try refusal { $0.extendedUsage = [.clientAuth, .codeSigning] } == what)
        #expect(try refusal { $0.extendedUsage = [.clientAuth, .serverAuth, .any] } == what)
    }

    @Test("refuses a certificate without identity statement, or with two")
    func statementCount() throws {
        #expect(try refusal { $0.hasStatement = false } == "no identity statement")
        // The library writes no extension twice: the statement's identifier goes over that of a stranger of
        // the same length.
        let identifier = try MeshCredentialsTests.der(StatementExtension.identifier)
        let strangerIdentifier: ASN1ObjectIdentifier = [
            1, 2, 840, 113556, 1, 8000, 2554, 35483, 3386, 18918, 18703, 41480, 7_793_995, 10_026_145,
        ]
        let stranger = try MeshCredentialsTests.der(strangerIdentifier)
        #expect(identifier.count == stranger.count)
        var twice = try workshop.changed {
            $0.more = [Certificate.Extension(oid: strangerIdentifier, critical: false, value: [5, 0])]
        }.certificate()
        let place = try #require(twice.firstRange(of: stranger))
        twice.replaceSubrange(place, with: identifier)
        #expect(refusal(of: twice) == "not one X.509 certificate in DER")
    }

    @Test("refuses a statement with a field of another size, another key, a fourth field or bytes behind it")
    func statementShape() throws {
        struct Fields: DERSerializable {
            let fields: [[UInt8]]
            func serialize(into coder: inout DER.Serializer) throws {
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    for field in fields { try coder.serialize(ASN1OctetString(contentBytes: field[...])) }
                }
            }
        }
        let node = workshop.statement.node.digest.bytes
        let key = workshop.statement.identityKey.info.bytes
        let signature = workshop.statement.signature.bytes
        let larger = [UInt8](P384.Signing.PrivateKey().publicKey.derRepresentation)
        let good = try MeshCredentialsTests.der(Fields(fields: [node, key, signature]))
        #expect(try refusal { $0.statementBytes = good } == nil)
        let wrong: [[[UInt8]]] = [
            [], [node], [node, key], [node, key, signature, []], [node + [0], key, signature],
            [[], key, signature],
            [node, key + [0], signature], [node, larger, signature], [node, [], signature],
            [node, key, signature + [0]],
            [node, key, []], [key, node, signature],
        ]
        for fields in wrong {
            let bytes = try MeshCredentialsTests.der(Fields(fields: fields))
            #expect(try refusal { $0.statementBytes = bytes } == "an identity statement that cannot be read")
        }
        for bytes in [[], good + [0], Array(good.dropLast()), [4, 0]] {
            #expect(try refusal { $0.statementBytes = bytes } == "an identity statement that cannot be read")
        }
    }

    @Test("refuses every key that is not P-256")
    func otherKeys() throws {
        let what = "a key that is not P-256"
        #expect(try refusal { $0.key = Certificate.PrivateKey(P384.Signing.PrivateKey()) } == what)
        #expect(try refusal { $0.key = Certificate.PrivateKey(Curve25519.Signing.PrivateKey()) } == what)
    }

    @Test("refuses a certificate that another key signed")
    func otherSigner() throws {
        let what = "not signed by its own key with ECDSA and SHA-256"
        #expect(try refusal { $0.signer = Certificate.PrivateKey(P256.Signing.PrivateKey()) } == what)
        #expect(try refusal { $0.signer = Certificate.PrivateKey(P384.Signing.PrivateKey()) } == what)
    }

    @Test("refuses a signature in a second encoding: with unused bits")
    func secondEncoding() throws {
        var tried = 0
        while tried < 3 {
            var der = try workshop.certificate()
            guard let last = der.last, last % 2 == 0 else { continue }
            let algorithm: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
            let tail = der.count - 90
            let place = try #require(der[tail...].firstRange(of: algorithm)).upperBound
            #expect(der[place] == 3 && der[place + 2] == 0)
            der[place + 2] = 1
            #expect(refusal(of: der) == "not signed by its own key with ECDSA and SHA-256")
            tried += 1
        }
    }

    @Test("refuses names: a node certificate tells none")
    func names() throws {
        let name = try DistinguishedName { CommonName("somebody") }
        #expect(try refusal { $0.name = name } == "a name where the profile has none")
    }

    @Test("refuses a life of more than a day, of none, and one that ends before it begins")
    func life() throws {
        #expect(try refusal { $0.life = .seconds(24 * 3600 + 1) } == "a life of more than 24 hours")
        #expect(try refusal { $0.life = .seconds(400 * 24 * 3600) } == "a life of more than 24 hours")
        let what = "a validity that ends before it begins, or begins before 1970"
        #expect(try refusal { $0.life = .zero } == what)
        #expect(try refusal { $0.life = .seconds(-5) } == what)
        let early = try workshop.certificate(from: WallTime(milliseconds: -1_000_000))
        #expect(refusal(of: early) == what)
    }

    @Test("refuses version 1")
    func version() throws {
        #expect(try refusal { $0.version = .v1 } == "not X.509 version 3")
    }
}

@Suite("The reader of node certificates, fed with noise")
struct CertificateReaderNoiseTests {
    @Test("never traps on bytes by chance, and never takes them for a certificate")
    func chance() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<4_000 {
            let bytes = generator.bytes(Int(generator.number(below: 400)))
            #expect(throws: CredentialError.self) { try CertificateReader.facts(der: bytes) }
            #expect(throws: CredentialError.self) {
                try CertificateReader.facts(der: [0x30, 0x82, 0x01, 0x40] + bytes)
            }
        }
    }

    @Test(
        "never traps on a certificate with bytes changed, removed, doubled or swapped, nor takes one"
    )
    func changed() throws {
        var generator = SeededGenerator(seed: 2)
        let der = try CertificateWorkshop().certificate()
        var refused = 0
        for _ in 0..<4_000 {
            var bytes = der
            for _ in 0...generator.number(below: 3) { mutate(&bytes, with: &generator) }
            if bytes == der { continue }
            #expect(throws: CredentialError.self) { try CertificateReader.facts(der: bytes) }
            refused += 1
        }
        #expect(refused > 3_800)
    }

    @Test("never traps on a signed certificate whose extensions and dates are noise")
    func signedNoise() throws {
        var generator = SeededGenerator(seed: 3)
        let workshop = CertificateWorkshop()
        let good = try StatementExtension(workshop.statement).inCertificate().value
        for _ in 0..<800 {
            var bytes = Array(good)
            for _ in 0...generator.number(below: 2) { mutate(&bytes, with: &generator) }
            let oid: [UInt] = [2, 5, 29, UInt(generator.number(below: 70))]
            let noise = Certificate.Extension(
                oid: try ASN1ObjectIdentifier(elements: oid), critical: generator.number(below: 2) == 0,
                value: generator.bytes(Int(generator.number(below: 12)))[...])
            let usage = [
                3, UInt8(generator.number(below: 4)), UInt8(generator.number(below: 9)),
                UInt8(generator.number(below: 256)),
            ]
            let noisyUsage = Certificate.Extension(oid: [2, 5, 29, 15], critical: true, value: usage[...])
            let der = try workshop.changed {
                $0.statementBytes = bytes
                if generator.number(below: 3) == 0 {
                    $0.usage = nil
                    $0.more = [noisyUsage]
                } else if ![15, 37].contains(oid[3]) {
                    $0.more = [noise]
                }
            }.certificate(from: WallTime(milliseconds: Int64(generator.number(below: 253_000_000_000_000))))
            do { _ = try CertificateReader.facts(der: der) } catch { continue }
        }
    }

    private func mutate(_ bytes: inout [UInt8], with generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int(generator.number(below: UInt64(bytes.count)))
        switch generator.number(below: 5) {
        case 0: bytes[place] ^= 1 << UInt8(generator.number(below: 8))
        case 1: bytes[place] = UInt8(generator.number(below: 256))
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(bytes[place], at: place)
        default: bytes.swapAt(place, Int(generator.number(below: UInt64(bytes.count))))
        }
    }
}
