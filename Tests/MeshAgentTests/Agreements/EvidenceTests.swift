import Foundation
import MeshBase
import MeshWire
import Testing

@testable import MeshAgent
@testable import MeshAgreements
@testable import MeshControl
@testable import MeshCredentials

/// What is exported is checked by a program that knows `Docs/Protocol.md` and jwcrypto, and nothing of ours.
@Suite(
    "Exported evidence, checked by others",
    .enabled(if: Verifier.python != nil, "jwcrypto cannot be had: Scripts/python-with jwcrypto says why"))
struct EvidenceTests {
    private let made: SignedAgreement
    private let evidence: AgreementEvidence

    init() throws {
        made = try SignedAgreement()
        evidence = AgreementEvidence(try made.record(), keys: made.keys)
    }

    private func verdict(_ evidence: AgreementEvidence) throws -> (status: Int32, text: String) {
        try Verifier.run(String(decoding: try Document.encode(evidence), as: UTF8.self))
    }

    private func verdict(_ approvals: [VouchedApproval]) throws -> (status: Int32, text: String) {
        try verdict(AgreementEvidence(try made.record(approvals), keys: made.keys))
    }

    @Test("an agreement that two nodes signed and two persons approved is whole")
    func whole() throws {
        let found = try verdict(evidence)
        #expect(found.status == 0, "\(found.text)")
        #expect(found.text.contains("it is whole") && found.text.contains(made.contentID.description))
        #expect(found.text.contains("approve     ann of the provider as responsible, accountable"))
    }

    @Test("without an approval it is valid and not in force; a veto and a revocation are seen")
    func endings() throws {
        let half = try verdict([made.word(of: made.ann, by: made.provider)])
        #expect(half.status == 0 && half.text.contains("missing     the accountable of the consumer"))
        let vetoed = try verdict([made.word(of: made.ann, by: made.provider, decision: .veto)])
        #expect(vetoed.status == 0 && vetoed.text.contains("no longer, in force"))
        let word = AgreementRevocation(
            contentID: made.contentID, revokedBy: made.target, orderedBy: .local, reason: "moved",
            revoked: SignedAgreement.wall)
        var record = try made.record()
        record.state = .ended(
            .revoked(try Signer(made.consumer).signed(word, using: made.suite), isHeard: true))
        let revoked = try verdict(AgreementEvidence(record, keys: made.keys))
        #expect(
            revoked.status == 0 && revoked.text.contains("revoked     by the consumer, naming this version"))
        record.state = .ended(.revoked(try Signer(made.ann).signed(word, using: made.suite), isHeard: true))
        #expect(try verdict(AgreementEvidence(record, keys: made.keys)).status == 1)
    }

    @Test("approvals that do not count are named: wrong hand, wrong party, role, time, agreement")
    func approvals() throws {
        let good = try made.word(of: made.ann, by: made.provider)
        let cases: [(VouchedApproval, String)] = [
            (try made.word(of: made.ann, by: made.ben), "not by a party"),
            (try made.word(of: made.ann, by: made.ben, named: made.provider), "no signature of the provider"),
            (try made.word(of: made.ann, by: made.provider, as: [.informed]), "a role that the person lacks"),
            (
                try made.word(of: made.ann, by: made.provider, given: SignedAgreement.day * 2),
                "outside the statement's time"
            ),
            (
                try made.word(of: made.ann, by: made.provider, about: made.suite.digest([1])),
                "of another agreement"
            ),
            (
                try made.word(of: made.ann, by: made.provider, for: made.consumer),
                "the person speaks for another party"
            ),
            (
                VouchedApproval(
                    approval: try made.word(of: made.ben, by: made.consumer).approval,
                    vouching: good.vouching), "no signature of ann"
            ),
        ]
        for (word, because) in cases {
            let found = try verdict([word])
            #expect(found.status == 1 && found.text.contains(because), "\(because): \(found.text)")
        }
    }

    @Test("a damaged file is refused wherever the damage is")
    func damaged() throws {
        let text = String(decoding: try Document.encode(evidence), as: UTF8.self)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<12 {
            var bytes = Array(text.utf8)
            let position = Int(generator.number(below: UInt64(bytes.count)))
            bytes[position] = bytes[position] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
            let found = try Verifier.run(String(decoding: bytes, as: UTF8.self))
            #expect(found.status == 1, "byte \(position): \(found.text)")
        }
        let twice = text.replacingOccurrences(of: "{\"agreement\":", with: "{\"approvals\":[],\"agreement\":")
        #expect(try Verifier.run(twice).status == 1)
        let swapped = AgreementEvidence(try made.record(), keys: [made.provider.publicKey])
        #expect(try verdict(swapped).status == 1)
    }
}

@Suite("An agreement as a policy in ODRL")
struct ODRLPolicyTests {
    @Test("permission, prohibition, obligation and duty say what was agreed")
    func policy() throws {
        let made = try SignedAgreement()
        let text = try ControlCoding.document(ODRLPolicy(made.agreement, .active))
        let policy = try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(policy["@type"] as? String == "Agreement" && policy["comity:state"] as? String == "active")
        #expect(policy["uid"] as? String == "urn:uuid:\(made.agreement.id)")
        #expect(policy["assigner"] as? String == "urn:comity:node:\(made.source)")
        let permission = try #require((policy["permission"] as? [[String: Any]])?.first)
        #expect(permission["action"] as? [String] == ["comity:capability/list"])
        let constraints = try #require(permission["constraint"] as? [[String: Any]])
        let operands = constraints.compactMap { $0["leftOperand"] as? String }
        #expect(
            operands == [
                "dateTime", "dateTime", "comity:access", "comity:principal", "virtualLocation", "purpose",
                "comity:namespace",
            ])
        let duties = try #require(permission["duty"] as? [[String: Any]])
        #expect(duties.count == 2 && duties[0]["action"] as? [String] == ["obtainConsent"])
        let prohibition = try #require((policy["prohibition"] as? [[String: Any]])?.first)
        #expect(prohibition["action"] as? [String] == ["modify", "delete"])
        let obligations = try #require(policy["obligation"] as? [[String: Any]])
        #expect(obligations.count == 3)
    }

    @Test("what one side alone has signed is an offer, and every one says how it stands")
    func states() throws {
        let made = try SignedAgreement()
        for state in AgreementReport.State.allCases {
            let text = try ControlCoding.document(ODRLPolicy(made.agreement, state))
            let policy = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect(policy?["@type"] as? String == (state == .offered ? "Offer" : "Agreement"))
            #expect(policy?["comity:state"] as? String == state.rawValue)
        }
    }

    @Test("whoever calls must seal, where that was agreed, and need not otherwise")
    func sealed() throws {
        for (demand, isNamed) in [(EncryptionDemand.required, true), (nil, false)] {
            let made = try SignedAgreement(approvals: nil, encryption: demand)
            let text = try ControlCoding.document(ODRLPolicy(made.agreement, .active))
            let policy = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let permission = try #require((policy?["permission"] as? [[String: Any]])?.first)
            let duties = permission["duty"] as? [[String: Any]] ?? []
            #expect(duties.map { $0["action"] as? [String] } == (isNamed ? [["comity:sealPayloads"]] : []))
        }
    }
}

/// `Scripts/verify-agreement` under a Python that has jwcrypto.
enum Verifier {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let python: String? = {
        let script = sources.appending(path: "Scripts/python-with").path
        guard let (status, text) = try? run(script, ["jwcrypto"]) else { return nil }
        return status == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }()

    static func run(_ evidence: String) throws -> (status: Int32, text: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
        try Data(evidence.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let script = sources.appending(path: "Scripts/verify-agreement").path
        return try run(try #require(python), [script, file.path])
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
