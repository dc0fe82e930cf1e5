import ArgumentParser
import FoundationEssentials
import Glibc
import MeshBase
import MeshControl

struct Domain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "An organisation's own authority: its nodes trust one another by it, with no line exchanged.",
        subcommands: [
            DomainCreate.self, DomainToken.self, DomainShow.self, DomainExport.self, DomainImport.self,
            DomainForget.self,
        ])
}

struct DomainCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a domain, with this node as its first member and issuer.",
        discussion: """
            The anchor's key is made in this home (anchor.key, mode 0600): whoever has it is the domain.

            Example: comity domain create acme
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: "How people call it.") var name: NodeName
    @Option(
        help: ArgumentHelp(
            "A role of your own that issuers may give, besides member, agree and relay.", valueName: "role"))
    var role: [DomainRole] = []

    func run() async throws {
        let report = try await facts.home.ask(CreateDomain.self, .init(name: name, roles: role))
        try facts.show(report, DomainText.founded)
    }
}

struct DomainToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Write a join token: a node that starts with it becomes a member by itself.",
        discussion: """
            The file is a secret: whoever has it may enrol nodes until it is over or used up. It is written
            with mode 0600 and never over another file. With - it goes to standard output.

            Example: comity domain token --uses 16 --expires 7d acme.token
            """)

    @OptionGroup var facts: FactOptions
    @Option(help: ArgumentHelp("What newcomers become besides members (may be repeated).", valueName: "role"))
    var role: [DomainRole] = []
    @Option(help: ArgumentHelp("How long it can be used, at most 90d.", valueName: "time"))
    var expires = TypedDuration(.seconds(24 * 3_600))
    @Option(help: ArgumentHelp("How many nodes each issuer enrols under it.", valueName: "number"))
    var uses = 1
    @Argument(help: "Where to write it, or - for standard output.") var file: String

    func validate() throws {
        if file == "-" && facts.json { throw ValidationError("--json needs a file: leave out -") }
    }

    func run() async throws {
        var file: PrivateOutput?
        if self.file != "-" { file = try PrivateOutput(at: self.file) }
        do {
            let request = MakeToken.Request(roles: role, expiresSeconds: expires.seconds, uses: uses)
            var report = try await facts.home.ask(MakeToken.self, request)
            guard let file else { return Terminal.out(report.token) }
            try file.write(report.token)
            // The secret is in the file; it need not be on the screen too.
            report.token = ""
            let path = self.file
            try facts.show(report) { report, presentation in
                DomainText.token(report, at: path, presentation)
            }
        } catch {
            file?.discard()
            throw error
        }
    }
}

struct DomainShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "The domain that this node is in: its roles, its credential, and the other members.",
        discussion: "Example: comity domain show")

    @OptionGroup var facts: FactOptions

    func run() async throws {
        try facts.show(try await facts.home.ask(ShowDomain.self), DomainText.render)
    }
}

/// A new file that only its owner may read: made before there is anything to write, so that a path that
/// cannot be used costs no token.
private struct PrivateOutput {
    private let path: String
    private let descriptor: Int32

    init(at path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let cause = String(cString: strerror(errno))
            throw ControlFailure(
                .refused, code: "file-refused", message: "the file cannot be made",
                facts: [Fact("path", path), Fact("cause", cause)], next: "ls -l \(path)")
        }
    }

    func write(_ text: String) throws {
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw ControlFailure(
                    .refused, code: "file-refused", message: "the file cannot be written",
                    facts: [Fact("path", path), Fact("cause", String(cString: strerror(errno)))],
                    next: "df -h")
            }
            rest = rest.dropFirst(count)
        }
        fsync(descriptor)
    }

    func discard() { unlink(path) }
}

extension DomainRole: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
