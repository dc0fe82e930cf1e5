import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Discovery")
struct DiscoveryTests {
    let bench = Bench()

    @Test("dials a trusted peer at once where its tag is sighted")
    func dialsRecognised() {
        #expect(bench.dials(.peerTrusted(node(1)), at(1)).isEmpty)
        let sighting = Sighting.heard("x", tag: bench.tag(of: node(1), at(2)), 1)
        #expect(bench.dials(.sighted(sighting), at(2)) == [DialTarget(node: node(1), endpoint: endpoint(1))])
    }

    @Test("never dials a stranger, whatever it shows")
    func neverDialsStranger() {
        let claims: [Sighting.Claim] = [.nobody, .tag(bench.tag(of: node(9), at(1))), .node(node(9))]
        for (number, claim) in claims.enumerated() {
            let key = SightingKey(witness: .mdns(interface: "eth0"), source: "s\(number)")
            let sighting = Sighting(key: key, endpoints: [endpoint(number)], claim: claim, life: .seconds(60))
            #expect(bench.handle(.sighted(sighting), at(1)) == [.sightingsChanged])
        }
        #expect(bench.dials(.sighted(.fixed(nil, 5)), at(1)).isEmpty)
        #expect(bench.nextDial(before: 1_000) == nil)
    }

    @Test("a stranger becomes a candidate when its peer becomes trusted")
    func recognisesLater() {
        _ = bench.handle(.sighted(.heard("x", tag: bench.tag(of: node(1), at(1)), 1)), at(1))
        #expect(bench.discovery.peer(node(1), at: at(1).instant) == nil)
        #expect(bench.dials(.peerTrusted(node(1)), at(2)).isEmpty)
        #expect(bench.dials(.timeReached, at(2)) == [DialTarget(node: node(1), endpoint: endpoint(1))])
    }

    @Test("a tag of last hour or the next is recognised, an older one is not")
    func acceptsNeighbours() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        #expect(
            bench.dials(.sighted(.heard("old", tag: bench.tag(of: node(1), at(0)), 1)), at(7_300)).isEmpty)
        #expect(
            bench.dials(.sighted(.heard("x", tag: bench.tag(of: node(1), at(3_800)), 1)), at(7_300)).count
                == 1)
    }

    @Test("dials an untrusted node that the static list names, and one without a name never")
    func dialsExpected() {
        #expect(
            bench.dials(.sighted(.fixed(node(1), 1)), at(1)) == [
                DialTarget(node: node(1), endpoint: endpoint(1))
            ])
        #expect(bench.dials(.sighted(.fixed(nil, 2, source: "nameless")), at(1)).isEmpty)
    }

    @Test("stops dialling an expected node when the list names it no more")
    func stopsWithdrawn() {
        _ = bench.handle(.sighted(.fixed(node(1), 1)), at(1))
        _ = bench.handle(.withdrawn(SightingKey(witness: .staticList, source: "entry")), at(2))
        _ = bench.handle(.dialFailed(DialTarget(node: node(1), endpoint: endpoint(1))), at(3))
        #expect(bench.discovery.nextDeadline == nil)
        #expect(bench.discovery.peers(at: at(3).instant).isEmpty)
    }

    @Test("redials a lost peer where it was last, though nothing shows it any more")
    func redialsProven() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        _ = bench.handle(.sighted(.heard("x", tag: bench.tag(of: node(1), at(0)), 1)), at(0))
        _ = bench.handle(.linkUp(node(1), endpoint(1)), at(1))
        _ = bench.handle(.withdrawn(SightingKey(witness: .mdns(interface: "eth0"), source: "x")), at(50))
        _ = bench.handle(.linkDown(node(1)), at(60))
        let next = bench.nextDial(before: 62)
        #expect(next?.targets == [DialTarget(node: node(1), endpoint: endpoint(1))])
    }

    @Test("bars a peer: it is recognised and not dialled, though the list names it")
    func bars() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        _ = bench.handle(.peerBarred(node(1)), at(1))
        #expect(bench.dials(.sighted(.fixed(node(1), 1)), at(2)).isEmpty)
        #expect(bench.dials(.sighted(.heard("x", tag: bench.tag(of: node(1), at(2)), 2)), at(2)).isEmpty)
        #expect(bench.nextDial(before: 500) == nil)
        #expect(bench.discovery.recognise(bench.tag(of: node(1), at(2))) == node(1))
        #expect(bench.dials(.peerTrusted(node(1)), at(600)).count == 1)
    }

    @Test("drops a peer: its sightings are a stranger's again")
    func drops() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        _ = bench.handle(.sighted(.heard("x", tag: bench.tag(of: node(1), at(0)), 1)), at(0))
        _ = bench.handle(.dialFailed(DialTarget(node: node(1), endpoint: endpoint(1))), at(1))
        _ = bench.handle(.peerDropped(node(1)), at(2))
        let peers = bench.discovery.peers(at: at(2).instant)
        #expect(peers.map(\.node) == [nil])
        #expect(bench.nextDial(before: 100) == nil)
    }

    @Test("never dials itself: not its own tag, not an endpoint that proved to be it, for some minutes")
    func knowsItself() {
        #expect(bench.handle(.sighted(.heard("me", tag: bench.tag(of: Bench.me, at(0)), 1)), at(0)).isEmpty)
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        let target = DialTarget(node: node(1), endpoint: endpoint(2))
        #expect(bench.dials(.sighted(.fixed(node(1), 2)), at(1)) == [target])
        _ = bench.handle(.provedMyself(endpoint(2)), at(2))
        #expect(bench.dials(.dialFailed(target), at(2)).isEmpty)
        #expect(bench.nextDial(before: 301) == nil)
        #expect(bench.nextDial(before: 303)?.targets == [target])
    }

    @Test("merges what has no name with the peer that was proven there")
    func mergesByProof() {
        _ = bench.handle(.sighted(.fixed(nil, 1, source: "nameless")), at(0))
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        #expect(bench.discovery.peers(at: at(0).instant).count == 2)
        _ = bench.handle(.linkUp(node(1), endpoint(1)), at(1))
        let peers = bench.discovery.peers(at: at(2).instant)
        #expect(peers.map(\.node) == [node(1)])
        #expect(peers.first?.hints.map(\.key.witness) == [.staticList])
        #expect(peers.first?.progress == .linked(.seconds(1)))
    }

    @Test("strangers that share a tag or an endpoint are one")
    func mergesStrangers() {
        let tag = bench.tag(of: node(9), at(0))
        _ = bench.handle(.sighted(.heard("a", tag: tag, 1)), at(0))
        _ = bench.handle(.sighted(.heard("a", tag: tag, 2, interface: "eth1")), at(0))
        _ = bench.handle(.sighted(.fixed(nil, 2, source: "nameless")), at(0))
        _ = bench.handle(.sighted(.heard("b", tag: nil, 3)), at(0))
        #expect(bench.discovery.peers(at: at(1).instant).map(\.hints.count).sorted() == [1, 3])
    }

    @Test("a sighting ends with its life, and says so once")
    func expires() {
        _ = bench.handle(.sighted(.heard("a", tag: nil, 1, life: .seconds(100))), at(0))
        #expect(bench.handle(.sighted(.heard("a", tag: nil, 1, life: .seconds(100))), at(60)).isEmpty)
        #expect(bench.handle(.timeReached, at(120)).isEmpty)
        #expect(bench.discovery.nextDeadline == at(160).instant)
        #expect(bench.handle(.timeReached, at(160)) == [.sightingsChanged])
        #expect(bench.discovery.peers(at: at(160).instant).isEmpty)
    }

    @Test("dials no more often than the gap allows, however often a liar shows a new address")
    func liarIsBounded() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        var dials = 0
        for number in 0..<1_000 {
            let moment = at(Double(number) / 100)
            let sighting = Sighting.heard("x\(number)", tag: bench.tag(of: node(1), moment), number)
            for target in bench.dials(.sighted(sighting), moment) {
                dials += 1
                dials += bench.dials(.dialFailed(target), moment).count
            }
        }
        #expect(dials <= 30, "\(dials) dials in 10 s")
        #expect(
            bench.discovery.peer(node(1), at: at(10).instant)?.endpoints.count ?? 99
                <= Limits.endpointsPerPeer)
    }

    @Test("ignores a source without end and an endpoint without port")
    func refusesNonsense() {
        #expect(
            bench.handle(.sighted(.heard(String(repeating: "x", count: 256), tag: nil, 1)), at(0)).isEmpty)
        let key = SightingKey(witness: .mdns(interface: "eth0"), source: "a")
        let nowhere = Sighting(
            key: key, endpoints: [Endpoint(host: "10.0.0.1", port: 0)], claim: .nobody, life: nil)
        #expect(bench.handle(.sighted(nowhere), at(0)).isEmpty)
    }

    @Test("the configuration names all that is wrong with it")
    func configurationProblems() {
        #expect(DiscoveryConfiguration().problems().isEmpty)
        var configuration = DiscoveryConfiguration()
        configuration.redialTrustedMax = .seconds(90)
        configuration.dialPatience = .seconds(1)
        #expect(configuration.problems().count == 3)
    }
}
