import MeshAgreements
import MeshBase
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("What an operator can make a node hold")
struct NodeLimitTests {
    private func local(_ number: Int) -> LocalResource {
        LocalResource(
            description: ResourceDescription(
                name: ResourceName("r\(number)")!, protocol: .http, capabilities: CapabilitySamples.read,
                labels: []),
            url: "http://127.0.0.1:1/", timeoutInMilliseconds: nil)
    }

    @Test("ten thousand resources, what is built in among them, and not one more")
    func resources() {
        var table = NodeTable("a")
        for number in 3..<Limits.localResources {
            table.places[0].shelf.resources[ResourceName("r\(number)")!] = local(number)
        }
        table.restart(0)
        #expect(table.places[0].node.resources.count == Limits.localResources - 1)
        let last = table.command(0, .addResource(local(1)))
        #expect(table.places[0].answers[last] == .done)
        let beyond = table.command(0, .addResource(local(0)))
        #expect(codes(table.places[0].answers[beyond]) == [.limitReached])
        let again = table.command(0, .addResource(local(1)))
        #expect(table.places[0].answers[again] == .done, "one that is there may be changed")
    }

    @Test("nothing takes the place of what is built in, not even what was stored under its name")
    func builtInStays() {
        for name in [ResourceName.echo, .relay] {
            var table = NodeTable("a")
            let other = LocalResource(
                description: ResourceDescription(
                    name: name, protocol: .http, capabilities: CapabilitySamples.read, labels: []),
                url: "http://127.0.0.1:1/", timeoutInMilliseconds: nil)
            let ticket = table.command(0, .addResource(other))
            guard case .refused(let reasons)? = table.places[0].answers[ticket] else {
                Issue.record("\(name) was replaced")
                return
            }
            #expect(reasons.map(\.code) == [.nameTaken])
            table.places[0].shelf.resources[name] = other
            table.restart(0)
            #expect(table.places[0].node.resources[name] == LocalResource(builtIn: name))
        }
    }

    @Test("256 resources offered to one peer, and not one more")
    func offers() {
        var table = NodeTable("a", "b")
        for number in 0..<Limits.recordsPerHead {
            table.places[0].shelf.resources[ResourceName("r\(number)")!] = local(number)
        }
        table.restart(0)
        table.join(1)
        // Echo is one of them already.
        let names = (0..<Limits.recordsPerHead).map { ResourceName("r\($0)")! }
        for start in stride(from: 0, to: Limits.recordsPerHead - 1, by: AgreementLimits.grants) {
            let some = names[start..<min(start + AgreementLimits.grants, Limits.recordsPerHead - 1)]
            #expect(isDone(offer(Array(some), in: &table)))
        }
        #expect(codes(offer([names[Limits.recordsPerHead - 1]], in: &table)) == [.limitReached])
        #expect(isDone(offer([names[0]], in: &table)), "what is offered already takes no more room")
    }

    private func offer(_ names: [ResourceName], in table: inout NodeTable) -> NodeAnswer? {
        let request = OfferRequest(
            peer: table.id(1), grants: names.sorted().map { Grant(resource: $0, capabilities: nil) },
            life: .seconds(3600))
        let ticket = table.command(0, .offer(request))
        table.pass(.milliseconds(20))
        return table.places[0].answers[ticket]
    }

    private func isDone(_ answer: NodeAnswer?) -> Bool {
        if case .agreed? = answer { return true }
        return false
    }

    private func codes(_ answer: NodeAnswer?) -> [RefusalCode]? {
        guard case .refused(let refusals)? = answer else { return nil }
        return refusals.map(\.code)
    }
}

private enum CapabilitySamples {
    static let read = [
        Capability(name: ResourceName("read")!, methods: ["GET"], path: "/", safety: .safe)
    ]
}
