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
                A capability is 'NAME=METHODS PATH [safe|idempotent|unsafe] [cache TIME]'. Without any, the
                resource has `read` (GET, HEAD, OPTIONS) and `write` (the rest); a gRPC server's are
                'NAME=POST /SERVICE/METHOD', and without any `call`, which is all of them. With `cache 30s`
                callers may keep answers that long, with `cache range` by the span of time that they ask
                about: only what is asked by GET and HEAD, and changes nothing. Nobody can call it before it
                is offered: to peers, or with `--offer-to domain` to every member of this node's domain.

                Example: comity resource add orders --url http://127.0.0.1:9000 \\
                           --capability 'list=GET /list' --offer-to bakery
                """)

        @OptionGroup var facts: FactOptions
        @Argument(help: "Its name: a-z 0-9 . _ -") var name: ResourceName
        @Option(
            help: """
                Where it is: http://HOST:PORT[/PATH], or http://unix:SOCKET[:/PATH]; a gRPC server: \
                grpc://HOST:PORT, or grpc://unix:SOCKET; an MCP server: mcp+http://..., or mcp+stdio:NAME as \
                config.yaml names it.
                """)
        var url: String
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
            let declarations = try capability.map(declared)
            let added = try await facts.home.ask(
                AddResource.self,
                .init(
                    name: name, url: url, capabilities: declarations.map(\.capability),
                    kept: declarations.compactMap { declared in
                        declared.keep.map {
                            KeptCapability(capability: declared.capability.name, time: $0)
                        }
                    }, labels: label.sorted(),
                    offerTo: offerTo,
                    offerSeconds: 30 * 86_400, timeoutMilliseconds: timeout?.duration.wholeMilliseconds))
            try facts.show(added, ResourceText.render)
        }

        private func declared(_ text: String) throws -> CapabilityDeclaration.Declared {
            switch CapabilityDeclaration.read(text) {
            case .allowed(let declared): return declared
            case .refused(let refusal):
                throw ControlFailure(
                    .usage, code: refusal.code.rawValue,
                    message: "a capability is declared 'NAME=METHODS PATH [safety] [cache TIME]'",
                    facts: refusal.facts + [Fact("example", "'list=GET /list safe cache 30s'")])
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
