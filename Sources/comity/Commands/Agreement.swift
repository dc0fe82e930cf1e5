import ArgumentParser
import MeshBase
import MeshControl
import MeshRouting

struct Offer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Offer a resource to a peer, or to a whole domain.",
        discussion: """
            Example: comity offer orders --to bakery --capability list --for 30d

            Conditions are signed with the offer and held at both ends:
            comity offer orders --to bakery --access read_only --principal billing --network 10.1.0.0/16

            So are limits, which each side counts for itself; days and months are those of UTC:
            comity offer orders --to bakery --rate 100/s:200 --quota 10000/day --quota 200000/month

            To every member of a partner domain; with --from-domain whatever member provides it. The node
            that offers in its domain's name, and the one that accepts, hold their domain's role `agree`:
            comity offer orders --to-domain bakers --from-domain
            """)
    @OptionGroup var facts: FactOptions
    @Argument(help: "One of this node's resources.") var resource: ResourceName
    @Option(help: ArgumentHelp("To whom: one peer.", valueName: "peer")) var to: String?
    @Option(
        help: ArgumentHelp(
            "To every member of this domain: this node's own, or a partner.", valueName: "domain"))
    var toDomain: String?
    @Flag(help: "Of every member of this node's domain that provides it, not of this node alone.")
    var fromDomain = false
    @Option(help: "One of its capabilities; repeatable; all without it.") var capability: [ResourceName] = []
    @Option(help: "What may be done with data: metadata_only, read_only or full.")
    var access = ConditionsReport.Access.full
    @Option(help: "Who there may call; repeatable; everybody without it.") var principal: [Principal] = []
    @Option(help: "A role in this node's domain that the peer must hold, one of these; repeatable.")
    var role: [DomainRole] = []
    @Option(
        help: ArgumentHelp(
            "From where calls may come: an address, or ADDRESS/LENGTH; repeatable.", valueName: "network"))
    var network: [IPNetwork] = []
    @Option(help: "What a call must be for, in its own word (call --purpose); repeatable.")
    var purpose: [Purpose] = []
    @Option(help: "A compliance framework that both keep to, by its short name; repeatable.")
    var framework: [ShortText] = []
    @Option(
        help: ArgumentHelp(
            "A promise about the service, as availability=99.9,percent; repeatable.",
            valueName: "name=target[,unit]"))
    var serviceLevel: [PromisedLevel] = []
    @Option(help: "A dataset or namespace of the resource that is meant; kept and shown; repeatable.")
    var namespace: [ShortText] = []
    @Option(
        help: ArgumentHelp(
            "In which role people of both sides must approve; two always are among them; repeatable.",
            valueName: "role"))
    var approval: [PersonRole] = []
    @Option(
        help: ArgumentHelp(
            "Calls in a second, minute or hour (s, m, h), and how many at once: 100/s, 100/s:200.",
            valueName: "calls/span[:burst]"))
    var rate: TypedRate?
    @Option(
        help: ArgumentHelp("Calls in a day or month; one of each.", valueName: "calls/period"))
    var quota: [TypedQuota] = []
    @Option(help: "Nodes that may carry the link over which calls go: 0, none; at most 8.") var hops: Int64?
    @Option(help: "What becomes of calls under way at a revocation: finish or cut.")
    var atRevocation = LimitsReport.CallsAtEnd.finish
    @Flag(help: "Payloads are sealed between the two, whoever carries them.") var encrypt = false
    @Option(name: .customLong("for"), help: ArgumentHelp("For how long.", valueName: "time"))
    var life = TypedDuration(.seconds(30 * 86_400))

    func validate() throws {
        guard (to == nil) != (toDomain == nil) else {
            throw ValidationError("an offer is --to a peer or --to-domain a domain")
        }
        let periods = quota.map(\.period)
        guard Set(periods).count == periods.count else {
            throw ValidationError("one quota a day and one a month")
        }
    }

    func run() async throws {
        let conditions = ConditionsReport(
            access: access, principals: principal, roles: role, networks: network, purposes: purpose,
            encryption: encrypt ? .required : nil)
        let commitments = CommitmentsReport(
            frameworks: framework, serviceLevels: serviceLevel.map(\.level))
        func calls(_ period: UsageReport.Period) -> Int64? { quota.first { $0.period == period }?.calls }
        let limits = LimitsReport(
            rate: rate?.rate, callsPerDay: calls(.day), callsPerMonth: calls(.month), hops: hops)
        let request = MakeOffer.Request(
            resource: resource, to: to ?? toDomain ?? "", toDomain: toDomain != nil, fromDomain: fromDomain,
            capabilities: capability, conditions: conditions, namespaces: namespace, commitments: commitments,
            approvals: approval, limits: limits,
            callsAtEnd: atRevocation, seconds: life.seconds)
        try facts.show(try await facts.home.ask(MakeOffer.self, request), AgreementText.offered)
    }
}

struct Agreement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What may be called by whom and until when.",
        subcommands: [
            List.self, Show.self, Accept.self, Reject.self, AgreementApprove.self, Renew.self, Revoke.self,
            Diff.self, AgreementExport.self,
        ])

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

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say yes to what a peer offered.",
            discussion: "Example: comity agreement accept 3f9a2c")
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of its id.") var id: String
        func run() async throws {
            try facts.show(
                try await facts.home.ask(AcceptAgreement.self, .init(id: id)), AgreementText.decided)
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say no to what a peer offered.", discussion: "Example: comity agreement reject 3f9a2c")
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of its id.") var id: String
        func run() async throws {
            try facts.show(
                try await facts.home.ask(RejectAgreement.self, .init(id: id)), AgreementText.decided)
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Offer the next version of an agreement, alike but for its time.",
            discussion: """
                Only the provider can. The version in force holds until the peer has accepted the next one.

                Example: comity agreement renew 3f9a2c --for 90d
                """)
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of its id.") var id: String
        @Option(
            name: .customLong("for"),
            help: ArgumentHelp("For how long; as long as before without it.", valueName: "time"))
        var life: TypedDuration?
        func run() async throws {
            let request = RenewAgreement.Request(id: id, seconds: life?.seconds)
            try facts.show(try await facts.home.ask(RenewAgreement.self, request), AgreementText.offered)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an agreement for good, as either of its parties.",
            discussion: """
                It holds here at once, and is told to the peer now or at the next link. No version of the
                agreement ever counts again; what is wanted later is a new offer. Calls under way go on, or
                are cut at both ends where the agreement says so.

                Example: comity agreement revoke 3f9a2c --reason 'contract ended'
                """)
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of its id.") var id: String
        @Option(help: "Why, at most 256 bytes; the peer reads it.") var reason = ""
        func run() async throws {
            let request = RevokeAgreement.Request(id: id, reason: reason)
            try facts.show(try await facts.home.ask(RevokeAgreement.self, request), AgreementText.decided)
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What two agreements, or two versions of one, say differently.",
            discussion: """
                With `--against` it decides the calls of that time by each of the two alone, as if it had been
                in force, and tells what would be refused or allowed by the second only.

                Example: comity agreement diff 3f9a2c 81d0ee --against 30d
                """)
        @OptionGroup var facts: FactOptions
        @Argument(help: "The beginning of the first one's id.") var first: String
        @Argument(help: "The beginning of the second one's id.") var second: String
        @Option(help: ArgumentHelp("Replay the calls of this time, up to now.", valueName: "time"))
        var against: TypedDuration?
        func run() async throws {
            guard let against else {
                let request = CompareAgreements.Request(first: first, second: second)
                return try facts.show(
                    try await facts.home.ask(CompareAgreements.self, request), AgreementText.render)
            }
            let request = ReplayAgreements.Request(
                first: first, second: second, seconds: against.seconds)
            let report = try await facts.home.ask(ReplayAgreements.self, request, waiting: .seconds(120))
            try facts.show(report, ReplayText.render)
        }
    }
}
