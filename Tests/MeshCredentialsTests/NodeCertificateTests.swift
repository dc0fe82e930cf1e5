import Foundation
import MeshBase
import MeshTrust
import Testing

@testable import MeshCredentials

@Suite("A node certificate")
struct NodeCertificateTests {
    let identity = IdentityKey.ephemeral()
    let suite = SystemSuite()
    /// 2026-11-21T10:00:00.750Z
    let now = WallTime(milliseconds: 1_795_255_200_750)

    @Test("is read as what it was issued as")
    func roundTrip() throws {
        let issued = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        let facts = try CertificateReader.facts(der: issued.certificate)
        #expect(facts == issued.facts)
        #expect(facts.certificateDigest == suite.digest(issued.certificate))
        #expect(facts.statement.node == identity.nodeID)
        #expect(facts.statement.identityKey == identity.publicKey)
        #expect(facts.isStatementValid(using: suite))
    }

    @Test("begins an hour before its issue, lives a day, and is renewed at two thirds")
    func validity() throws {
        let issued = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        #expect(issued.facts.notBefore == WallTime(milliseconds: 1_795_251_600_000))
        #expect(issued.facts.notAfter == issued.facts.notBefore + .seconds(24 * 3600))
        #expect(issued.renewAt == issued.facts.notBefore + .seconds(16 * 3600))
        #expect(now < issued.renewAt)
        #expect(!issued.isDueForRenewal(at: now) && issued.isDueForRenewal(at: issued.renewAt))
        // The clock was put back by a year: nobody takes this certificate before it begins.
        #expect(issued.isDueForRenewal(at: now - .seconds(365 * 86_400)))
    }

    @Test("has another key each time")
    func freshKey() throws {
        let first = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        let second = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        #expect(first.facts.certificateKey != second.facts.certificateKey)
        #expect(first.facts.certificateKey != identity.publicKey)
    }

    @Test("keeps the name of the node when another identity key signs it")
    func afterRotation() throws {
        let next = IdentityKey.ephemeral()
        let facts = try NodeCertificate.issue(for: identity.nodeID, by: next, at: now).facts
        #expect(facts.statement.node == identity.nodeID)
        #expect(facts.statement.identityKey == next.publicKey)
        #expect(facts.isStatementValid(using: suite))
    }

    @Test("has a statement that holds for no other node, key or time")
    func boundStatement() throws {
        let issued = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        let other = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now + .seconds(1))
        let workshop = CertificateWorkshop(statement: issued.facts.statement)
        let moved = try CertificateReader.facts(der: workshop.certificate(from: issued.facts.notBefore))
        #expect(!moved.isStatementValid(using: suite))
        #expect(issued.facts.statement.signature != other.facts.statement.signature)
    }

    @Test("shows nothing of its private key, whoever prints it and however")
    func noSecretShown() throws {
        let issued = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        var dumped = ""
        dump(issued, to: &dumped)
        for shown in ["\(issued)", String(reflecting: issued), dumped] {
            #expect(!shown.contains("privateKey"))
            #expect(!shown.contains(issued.privateKey.map { "\($0)" }.joined(separator: ", ")))
        }
        #expect("\(issued)".contains(identity.nodeID.brief))
    }

    @Test(
        "is not issued by a clock before 1970 or beyond the year 9999",
        arguments: [-1, Int64.min, Int64.max, 253_402_300_800_000])
    func wildClock(milliseconds: Int64) {
        #expect(throws: CredentialError.certificateNotMade) {
            try NodeCertificate.issue(
                for: identity.nodeID, by: identity, at: WallTime(milliseconds: milliseconds))
        }
    }

    @Test(
        "is a certificate to openssl too: dates, usages, key and certificate a pair",
        .enabled(if: Openssl.isInstalled, "the openssl command is not installed"))
    func openssl() throws {
        let folder = try TemporaryFolder()
        let issued = try NodeCertificate.issue(for: identity.nodeID, by: identity, at: now)
        try Data(issued.certificate).write(to: URL(fileURLWithPath: folder.file("node.der")))
        try Data(issued.privateKey).write(to: URL(fileURLWithPath: folder.file("node.key")))

        let text = try Openssl.run(
            "x509", "-inform", "der", "-in", folder.file("node.der"), "-noout", "-text")
        #expect(text.contains("Version: 3 (0x2)"))
        #expect(text.contains("Not Before: Nov 21 09:00:00 2026 GMT"))
        #expect(text.contains("Not After : Nov 22 09:00:00 2026 GMT"))
        #expect(text.contains("X509v3 Key Usage: critical\n                Digital Signature\n"))
        #expect(text.contains("TLS Web Server Authentication, TLS Web Client Authentication"))
        #expect(text.contains("1.2.840.113556.1.8000.2554.35483.3386.18918.18703.41480.7793995.10026144"))
        #expect(text.contains("NIST CURVE: P-256"))
        #expect(text.contains("Signature Algorithm: ecdsa-with-SHA256"))
        let subject = try Openssl.run(
            "x509", "-inform", "der", "-in", folder.file("node.der"), "-noout", "-subject")
        #expect(subject == "subject=\n")

        let ofCertificate = try Openssl.run(
            "x509", "-inform", "der", "-in", folder.file("node.der"), "-noout", "-pubkey")
        let ofKey = try Openssl.run("pkey", "-inform", "der", "-in", folder.file("node.key"), "-pubout")
        #expect(ofCertificate == ofKey)
    }

    @Test(
        "has an identity key file that openssl reads",
        .enabled(if: Openssl.isInstalled, "the openssl command is not installed"))
    func opensslReadsIdentityKey() throws {
        let folder = try TemporaryFolder()
        let key = try IdentityKey.create(at: folder.file("identity.key"))
        let pem = try Openssl.run("pkey", "-in", folder.file("identity.key"), "-pubout")
        let base64 = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
        #expect(Data(base64Encoded: base64) == Data(key.publicKey.info.bytes))
        #expect(
            try String(contentsOfFile: folder.file("identity.key"), encoding: .utf8).hasPrefix(
                "-----BEGIN PRIVATE KEY-----"))
    }
}

/// The openssl command, as a second opinion.
enum Openssl {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    static func run(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}
