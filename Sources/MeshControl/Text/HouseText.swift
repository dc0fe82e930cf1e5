import MeshBase

/// The house agreement as people read it: who may do what, under which document, until when.
enum HouseText {
    static func render(_ house: HouseReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            table.add([.init(name, .faint), .init(value, ink)])
        }
        add("state", house.state.rawValue, AgreementText.ink(of: house.state))
        add("permits", "each member may call what another offers to the domain; nothing else")
        add("between", "this node and every other member, while both hold valid credentials")
        if let version = house.agreementVersion { add("version", "\(version)") }
        add("signed by", "the domain's anchor")
        if let issued = house.issued { add("issued", presentation.date(issued)) }
        if let until = house.until {
            add("until", "\(presentation.date(until)) (\(presentation.distance(to: until)))")
        }
        let left = presentation.distance(to: house.memberUntil)
        add("we are a member until", "\(presentation.date(house.memberUntil)) (\(left))")
        add("we offer", list(house.offered))
        for member in house.members { add("\(member.node.title) offers", list(member.offered)) }
        if house.members.isEmpty { add("other members", "none that is trusted here", .warning) }
        let title = house.id ?? "the house agreement has not come yet"
        return presentation.ink(.bold, title) + "\n"
            + "house agreement of domain \(house.domain)\n" + table.render(presentation, indent: 2)
    }

    /// Its line among the agreements of two.
    static func add(_ house: HouseReport, to table: inout TextTable, _ presentation: Presentation) {
        let until = house.until.map {
            "\(presentation.date($0).prefix(16)) (\(presentation.distance(to: $0)))"
        }
        let count = house.members.count
        table.add([
            .init(house.id.map { String($0.prefix(12)) } ?? "house"),
            .init(house.state.rawValue, AgreementText.ink(of: house.state)),
            .init("domain \(house.domain.brief): \(count) \(count == 1 ? "member" : "members")"),
            .init("provide, call"), .init("what is offered to it"), .init("all"), .init(until ?? "not yet"),
        ])
    }

    private static func list(_ names: [ResourceName]) -> String {
        names.isEmpty ? "nothing" : names.map(\.description).joined(separator: ", ")
    }
}
