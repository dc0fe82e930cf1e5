import ArgumentParser
import MeshBase
import MeshControl

struct AgreementExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "An agreement for others: a policy in ODRL 2.2, or everything that proves it.",
        discussion: """
            Without --jws a policy in JSON-LD, for people and programs that know ODRL and not Comity; it is no
            evidence. With --jws the agreement, its approvals and statements, the parties' keys and the
            revocation, each as it was signed: any JOSE library can check it (Docs/Protocol.md section 9).

            Example: comity agreement export 3f9a2c --jws > evidence.json
            """)
    @OptionGroup var home: HomeOption
    @Argument(help: "The beginning of its id.") var id: String
    @Flag(help: "Everything that proves it, as it was signed.") var jws = false

    func run() async throws {
        let request = ExportAgreement.Request(id: id, form: jws ? .evidence : .odrl)
        Terminal.out(try await home.ask(ExportAgreement.self, request).document + "\n")
    }
}

/// `--service-level NAME=TARGET[,UNIT]`.
struct PromisedLevel: ExpressibleByArgument {
    let level: CommitmentsReport.ServiceLevel

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), let name = ShortText(argument[..<sign]) else {
            return nil
        }
        let parts = argument[argument.index(after: sign)...]
            .split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard let target = ShortText(parts[0]) else { return nil }
        let unit = parts.count == 2 ? ShortText(parts[1]) : nil
        guard parts.count == 1 || unit != nil else { return nil }
        level = CommitmentsReport.ServiceLevel(name: name, target: target, unit: unit)
    }
}

extension Purpose: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension ShortText: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
