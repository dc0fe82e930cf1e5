import ArgumentParser
import FoundationEssentials
import Glibc
import MeshBase
import MeshControl

struct DomainExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write this domain's bundle, for another organisation; or move the anchor's key out.",
        discussion: """
            The bundle says by which keys this domain's credentials are checked. There is no secret in it, and
            every member can write it. Another organisation's operator gives it to comity domain import.

            With --anchor-key the anchor's key is moved out of this home, to be kept offline: without it this
            node goes on enrolling members as an issuer; it makes no token, no issuer and no partner, and
            issuers' certificates (90 days) are renewed only where the key is.

            Example: comity domain export acme.bundle
            """)

    @OptionGroup var facts: FactOptions
    @Flag(help: "Write the SPIFFE trust bundle alone, which nobody signed.") var spiffe = false
    @Option(
        help: ArgumentHelp("Move the anchor's key there instead; nothing is overwritten.", valueName: "path"))
    var anchorKey: String?
    @Argument(help: "Where to write the bundle; to standard output without it.") var file: String?

    func validate() throws {
        if anchorKey != nil && (file != nil || spiffe) {
            throw ValidationError("--anchor-key moves the key, and writes no bundle")
        }
    }

    func run() async throws {
        if let anchorKey {
            let request = MoveAnchor.Request(direction: .out, path: absolute(anchorKey))
            return try facts.show(try await facts.home.ask(MoveAnchor.self, request), DomainText.render)
        }
        let report = try await facts.home.ask(ShowBundle.self)
        let text = spiffe ? report.spiffe : report.bundle
        guard let file else {
            return Terminal.out(facts.json ? try ControlCoding.document(report) + "\n" : text)
        }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: absolute(file)), options: .atomic)
        } catch {
            throw ControlFailure(
                .refused, code: "file-refused", message: "the bundle cannot be written",
                facts: [Fact("path", file)], next: "ls -l \(file)")
        }
        try facts.show(report) { report, presentation in
            PartnerText.exported(report, at: file, presentation)
        }
    }
}

struct DomainImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Accept another organisation's domain as a partner; or move the anchor's key back.",
        discussion: """
            Nodes of this domain then trust nodes of that one as peers, once it accepts this domain too; they
            see nothing else of one another. Given where the anchor's key is. The bundle is shown, and asked
            about, unless --fingerprint names its domain, by ID or words, or --yes is given. One that nobody
            signed, as other programs of SPIFFE write it, always needs --fingerprint.

            With --from no file is needed: a peer that is trusted already shows its own domain's bundle, and
            proves that it belongs to it. Nothing is asked when an invite or words made that trust.

            Example: comity domain import acme.bundle
            """)

    @OptionGroup var facts: FactOptions
    @Option(help: ArgumentHelp("Take the bundle of this peer's domain, from the peer.", valueName: "peer"))
    var from: String?
    @Option(
        help: ArgumentHelp(
            "Trust only nodes whose credentials have one of these, with commas between.", valueName: "roles"))
    var roles: String?
    @Option(help: ArgumentHelp("The domain's ID, or its words.", valueName: "words"))
    var fingerprint: String?
    @Flag(help: "Do not ask.") var yes = false
    @Option(
        help: ArgumentHelp("Where the anchor's key is; it is moved, not copied.", valueName: "path"))
    var anchorKey: String?
    @Argument(help: "The bundle, or - to read it from standard input.") var file: String?

    func validate() throws {
        let given = [anchorKey, from, file].compactMap { $0 }.count
        guard given == 1 else {
            throw ValidationError(
                given == 0
                    ? "a bundle's file, --from PEER, or --anchor-key PATH"
                    : "one of a bundle's file, --from PEER, and --anchor-key PATH")
        }
    }

    func run() async throws {
        if let anchorKey {
            let request = MoveAnchor.Request(direction: .back, path: absolute(anchorKey))
            return try facts.show(try await facts.home.ask(MoveAnchor.self, request), DomainText.render)
        }
        let roles = try named()
        let source = BundleSource(text: try text(), peer: from, fingerprint: fingerprint)
        let offer = try await facts.home.ask(ReadBundle.self, source)
        if !facts.json { Terminal.note(PartnerText.offer(offer, Terminal.notes(facts.home))) }
        if offer.needsYes && !yes {
            guard Terminal.isAttended && file != "-" else {
                throw ControlFailure(
                    .usage, code: "request-malformed",
                    message: "nobody is here to be asked whether this is the domain that is meant",
                    next: "comity domain import \(place) --fingerprint \(offer.id)")
            }
            guard Terminal.confirm(PartnerText.question(offer, roles: roles)) else { throw ExitCode(1) }
        }
        let request = ImportBundle.Request(
            source: source, roles: roles, shown: offer.content, isConfirmed: yes || offer.needsYes)
        try facts.show(try await facts.home.ask(ImportBundle.self, request), PartnerText.imported)
    }

    /// Where the bundle is, as it was given.
    private var place: String { from.map { "--from \($0)" } ?? file ?? "FILE" }

    private func named() throws -> [DomainRole] {
        try (roles ?? "").split(separator: ",").map { text in
            guard let role = DomainRole(text) else { throw ValidationError("no role is called \(text)") }
            return role
        }
    }

    private static let lengthMax = 64 * 1024

    private func text() throws -> String? {
        guard let file else { return nil }
        if file == "-" { return try Terminal.input(limit: Self.lengthMax) }
        let descriptor = open(absolute(file), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ControlFailure(
                .refused, code: "file-refused", message: "the bundle cannot be read",
                facts: [Fact("path", file), Fact("cause", String(cString: strerror(errno)))],
                next: "ls -l \(file)")
        }
        defer { close(descriptor) }
        return try Terminal.input(limit: Self.lengthMax, from: descriptor)
    }
}

struct DomainForget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "End a partnership: trust that rests on that domain's credentials ends everywhere.",
        discussion: """
            Trust that an invite made stays: comity peer revoke ends that.

            Example: comity domain forget acme
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: "The partner's name or ID.") var name: String

    func run() async throws {
        try facts.show(
            try await facts.home.ask(ForgetPartner.self, .init(name: name)), PartnerText.forgotten)
    }
}

/// The agent has another working directory.
private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}
