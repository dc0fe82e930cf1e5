import ArgumentParser
import MeshBase
import MeshControl
import MeshRouting

struct Resource: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What this node provides.", subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Provide an HTTP service as a resource.",
            discussion: """
                A capability is 'NAME=METHODS PATH [safe|idempotent|unsafe]'. Without any, the resource has
                `read` (GET, HEAD, OPTIONS) and `write` (the rest). Nobody can call it before it is offered:
                to peers, or with `--offer-to domain` to every member of this node's domain.

                Example: comity resource add orders --url http://127.0.0.1:9000 \\
                           --capability 'list=GET /list' --offer-to bakery
                """)

        @OptionGroup var facts: FactOptions
        @Argument(help: "Its name: a-z 0-9 . _ -") var name: ResourceName
        @Option(help: "Where it is: http://HOST:PORT[/PATH].") var url: String
        @Option(help: ArgumentHelp("What it can do; repeatable.", valueName: "declaration")) var capability:
            [String] = []
        @Option(
            help: ArgumentHelp(
                "Offer all of it to this peer for 30 days, or to the domain; repeatable.",
                valueName: "peer|domain"))
        var offerTo: [String] = []
        @Option(help: ArgumentHelp("How long one attempt at it may take.", valueName: "time")) var timeout:
            TypedDuration?
        @Option(help: ArgumentHelp("A word for search; repeatable.", valueName: "key=value")) var label:
            [ResourceLabel] = []

        func run() async throws {
            let capabilities = try capability.map(declared)
            let added = try await facts.home.ask(
                AddResource.self,
                .init(
                    name: name, url: url, capabilities: capabilities, labels: label.sorted(),
                    offerTo: offerTo,
                    offerSeconds: 30 * 86_400, timeoutMilliseconds: timeout?.duration.wholeMilliseconds))
            try facts.show(added, ResourceText.render)
        }

        private func declared(_ text: String) throws -> Capability {
            switch CapabilityDeclaration.read(text) {
            case .allowed(let capability): return capability
            case .refused(let refusal):
                throw ControlFailure(
                    .usage, code: refusal.code.rawValue,
                    message: "a capability is declared 'NAME=METHODS PATH [safety]'",
                    facts: refusal.facts + [Fact("example", "'list=GET /list safe'")])
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What this node provides, and to whom.", discussion: "Example: comity resource list")
        @OptionGroup var facts: FactOptions
        func run() async throws {
            try facts.show(try await facts.home.ask(ListResources.self), ResourceText.render)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop providing a resource.", discussion: "Example: comity resource remove orders")
        @OptionGroup var facts: FactOptions
        @Argument(help: "Its name.") var name: ResourceName
        func run() async throws {
            let removed = try await facts.home.ask(RemoveResource.self, .init(name: name))
            try facts.show(removed) { resource, _ in "\(resource.description.name) is no longer provided\n" }
        }
    }
}

struct Route: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Which peers count as providers of one resource, so that the router may pick among them.",
        discussion: """
            Members of this node's domain that offer the name to the domain are providers without it; a peer
            that merely offers the name is never one. --via '' ends the route.

            Example: comity route orders --via bakery,mill
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "The resource's name at all of them.") var resource: ResourceName
    @Option(help: ArgumentHelp("Peers, joined by commas.", valueName: "peer,...")) var via: String

    func run() async throws {
        let peers = via.split(separator: ",").map(String.init)
        try facts.show(
            try await facts.home.ask(SetRoute.self, .init(resource: resource, via: peers)), RouteText.render)
    }
}

struct Routes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "For each resource: candidates, score, breaker state and why.",
        discussion: "Example: comity routes")
    @OptionGroup var facts: FactOptions
    func run() async throws { try facts.show(try await facts.home.ask(ShowRoutes.self), RouteText.render) }
}

struct Find: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The catalog: resources across all peers, as far as this node may see.",
        discussion: "Example: comity find orders --label region=north")
    @OptionGroup var facts: FactOptions
    @Argument(help: "Part of a name, a capability or a label.") var query: String?
    @Option(help: ArgumentHelp("Must be there; repeatable.", valueName: "key=value")) var label:
        [ResourceLabel] = []

    func run() async throws {
        try facts.show(
            try await facts.home.ask(FindResources.self, .init(query: query, labels: label)),
            ResourceText.render)
    }
}

struct Offer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Offer a resource to a peer.",
        discussion: """
            Example: comity offer orders --to bakery --capability list --for 30d

            Conditions are signed with the offer and held at both ends:
            comity offer orders --to bakery --access read_only --principal billing --network 10.1.0.0/16
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "One of this node's resources.") var resource: ResourceName
    @Option(help: ArgumentHelp("To whom.", valueName: "peer")) var to: String
    @Option(help: "One of its capabilities; repeatable; all without it.") var capability: [ResourceName] = []
    @Option(help: "What may be done with data: metadata_only, read_only or full.")
    var access = ConditionsReport.Access.full
    @Option(help: "Who there may call; repeatable; everybody without it.") var principal: [Principal] = []
    @Option(help: "A role that the peer must hold in its domain, one of these; repeatable.")
    var role: [DomainRole] = []
    @Option(
        help: ArgumentHelp(
            "From where calls may come: an address, or ADDRESS/LENGTH; repeatable.", valueName: "network"))
    var network: [IPNetwork] = []
    @Option(name: .customLong("for"), help: ArgumentHelp("For how long.", valueName: "time"))
    var life = TypedDuration(.seconds(30 * 86_400))

    func run() async throws {
        let conditions = ConditionsReport(
            access: access, principals: principal, roles: role, networks: network)
        let request = MakeOffer.Request(
            resource: resource, to: to, capabilities: capability, conditions: conditions,
            seconds: life.seconds)
        try facts.show(try await facts.home.ask(MakeOffer.self, request), AgreementText.offered)
    }
}

struct Agreement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What may be called by whom and until when.", subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every agreement that this node keeps.", discussion: "Example: comity agreement list")
        @OptionGroup var facts: FactOptions
        func run() async throws {
            try facts.show(try await facts.home.ask(ListAgreements.self), AgreementText.render)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One agreement.",
            discussion: """
                `house` is the agreement of this node's domain.

                Example: comity agreement show 3f9a2c
                """)
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of its id, or `house`.") var id: String
        func run() async throws {
            try facts.show(try await facts.home.ask(ShowAgreement.self, .init(id: id)), AgreementText.render)
        }
    }
}
