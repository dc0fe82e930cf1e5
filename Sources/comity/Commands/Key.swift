import ArgumentParser
import FoundationEssentials
import MeshAgent
import MeshBase
import MeshControl

struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "People who approve agreements: their keys, and this node's word for them.",
        subcommands: [KeyCreate.self, KeyShow.self, KeyList.self, KeyRevoke.self])
}

struct KeyCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a person's key, and have this node vouch for it.",
        discussion: """
            The key is a file of the person's own (mode 0600), person-NAME.key in the home unless --file names
            another place; it may be moved anywhere. A key that is there is vouched for anew. No agent reads
            it and no backup holds it.

            Example: comity key create ann --role responsible --role accountable --file ann.key
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "How the person is called.") var name: NodeName
    @Option(
        help: ArgumentHelp(
            "In which role it may speak: responsible, accountable, consulted or informed; repeatable.",
            valueName: "role"))
    var role: [PersonRole]
    @Option(help: "Where the key is, or is to be written.") var file: String?
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("For how long this node vouches, at most 1096d.", valueName: "time"))
    var life = TypedDuration(.seconds(365 * 86_400))

    func validate() throws {
        if role.isEmpty { throw ValidationError("name a role: --role responsible") }
    }

    func run() async throws {
        let path = file ?? PersonKey.file(of: name, in: facts.home.path)
        let wasThere = FileManager.default.fileExists(atPath: path)
        let key = try PersonKey.prepare(at: path)
        do {
            let request = VouchForPerson.Request(
                name: name, key: key.publicText, roles: role, seconds: life.seconds)
            var person = try await facts.home.ask(VouchForPerson.self, request)
            person.file = path
            try facts.show(person, PersonText.created)
        } catch {
            // A key for which nobody vouches is of no use, unless somebody had it before.
            if !wasThere { try FileManager.default.removeItem(atPath: path) }
            throw error
        }
    }
}

struct KeyShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One person, and this node's word for it.",
        discussion: "Example: comity key show ann")
    @OptionGroup var facts: FactOptions
    @Argument(help: "How the person is called.") var name: NodeName

    func run() async throws {
        let people = try await facts.home.ask(ListPeople.self).people
        guard let person = people.first(where: { $0.name == name }) else {
            throw ControlFailure(
                Refusal(.nothingFound, [Fact("person", name)]), next: "comity key list")
        }
        try facts.show(person, PersonText.render)
    }
}

struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Everybody for whom this node vouches, or did.",
        discussion: "Example: comity key list")
    @OptionGroup var facts: FactOptions

    func run() async throws {
        try facts.show(try await facts.home.ask(ListPeople.self), PersonText.render)
    }
}

struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Vouch for a person no more.",
        discussion: """
            What the person signs from now on does not count, however it is dated. What it approved before
            goes on counting: it is evidence of the time at which it was given.

            Example: comity key revoke ann
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "How the person is called.") var name: NodeName

    func run() async throws {
        try facts.show(try await facts.home.ask(EndVouching.self, .init(name: name)), PersonText.ended)
    }
}

struct AgreementApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "A person's yes to an agreement, or its veto, signed with the person's own key.",
        discussion: """
            This command reads the key and signs; the agent gets the signed word alone. Where the key is on
            another machine, sign there with the whole id and --sign-only, and hand the file in with --signed.
            A veto ends this version for good.

            Example: comity agreement approve 3f9a2c --key ann.key
            comity agreement approve 3f9a2c --key ann.key --veto --reason 'too dear'
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "The beginning of its id; with --sign-only all of it.") var id: String?
    @Option(help: ArgumentHelp("The person's key.", valueName: "file")) var key: String?
    @Option(
        help: ArgumentHelp(
            "In which role; repeatable; those that are asked for without it.", valueName: "role"))
    var role: [PersonRole] = []
    @Flag(help: "Say no, for good.") var veto = false
    @Option(help: "Why, at most 256 bytes; the other party reads it.") var reason = ""
    @Flag(help: "Print the signed word and ask no agent.") var signOnly = false
    @Option(
        help: ArgumentHelp(
            "With --sign-only: the node for which the person speaks.", valueName: "node ID"))
    var party: NodeID?
    @Option(help: ArgumentHelp("Hand in a word that was signed elsewhere; - reads it.", valueName: "file"))
    var signed: String?

    func validate() throws {
        if signed != nil {
            if key != nil || signOnly { throw ValidationError("--signed goes without --key and --sign-only") }
        } else if id == nil || key == nil {
            throw ValidationError("name the agreement and the person's key: ID --key FILE")
        }
        if signOnly && (role.isEmpty || party == nil) {
            throw ValidationError("--sign-only needs --role and --party")
        }
    }

    func run() async throws {
        let document: String
        if let signed {
            document = try Self.text(signed)
        } else {
            let key = try PersonKey.load(from: key ?? "")
            var (contentID, roles, party) = (id ?? "", role, party)
            if !signOnly {
                let request = PrepareApproval.Request(id: contentID, pin: key.pin)
                let prepared = try await facts.home.ask(PrepareApproval.self, request)
                // What is signed is what was named, whatever an agent answers.
                guard prepared.contentID.hasPrefix(contentID.lowercased()) else {
                    throw ControlFailure(
                        .fault, code: "agent-fault", message: "the agent names another agreement",
                        facts: [Fact("named", contentID), Fact("answered", prepared.contentID)])
                }
                contentID = prepared.contentID
                party = prepared.party
                if roles.isEmpty { roles = prepared.roles }
                Terminal.note(
                    "signs \(veto ? "a veto of" : "a yes to") \(contentID) as \(PersonText.words(roles))\n")
            }
            guard let party else { return }
            document = try key.word(isApproval: !veto, of: contentID, for: party, as: roles, reason: reason)
            if signOnly { return Terminal.out(document + "\n") }
        }
        let report = try await facts.home.ask(GiveApproval.self, .init(document: document))
        try facts.show(report, AgreementText.decided)
    }

    private static func text(_ path: String) throws -> String {
        let text: String
        if path == "-" {
            text = try Terminal.input(limit: 64 * 1024)
        } else {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        }
        return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}

extension PersonRole: ExpressibleByArgument {}

extension NodeID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
