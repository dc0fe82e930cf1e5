import MeshBase
import MeshDNS

// What may be wrong with how peers are to be found.
extension AgentConfiguration {
    func discoveryProblems(_ say: Say) {
        listProblems(say)
        consulProblems(say)
        dnsProblems(say)
    }

    private func listProblems(_ say: Say) {
        var first: [StaticPeer: String] = [:]
        let lists = [("discovery.static", discovery.static), ("discovery.staticFile", discovery.listed)]
        for (key, peers) in lists {
            for (number, peer) in peers.enumerated() {
                let place = "[\(number)]"
                if !peer.endpoint.isDialable {
                    say(key, place, "nobody can dial \(peer.endpoint)", "name the peer's address and port")
                }
                if let earlier = first[peer] {
                    say(key, place, "is the same as \(earlier)", "keep one of the two")
                } else {
                    first[peer] = key + place
                }
            }
        }
        let count = discovery.static.count + discovery.listed.count
        if count > ConfigurationBounds.staticPeers {
            say(
                discovery.listed.isEmpty ? "discovery.static" : "discovery.staticFile", "",
                "\(count) entries in all",
                "keep at most \(ConfigurationBounds.staticPeers); peers once trusted are remembered without")
        }
    }

    private func consulProblems(_ say: Say) {
        let consul = discovery.consul
        let most = ConfigurationBounds.metadataPairs
        for (key, pairs) in [("metadata", consul.metadata), ("require", consul.required)]
        where pairs.count > most {
            say("discovery.consul.\(key)", "", "\(pairs.count) pairs", "at most \(most)")
        }
        if (consul.certificateFile == nil) != (consul.keyFile == nil) {
            say(
                consul.keyFile == nil ? "discovery.consul.certificateFile" : "discovery.consul.keyFile", "",
                "a certificate and its key go together", "set both, or neither")
        }
        guard let url = consul.url, !url.isEncrypted else { return }
        if consul.authorityFile != nil || consul.certificateFile != nil {
            say("discovery.consul.url", "", "\(url) is not asked over TLS", "write https://\(url.endpoint)")
        }
        if consul.tokenFile != nil, !url.endpoint.isLoopback {
            say(
                "discovery.consul.url", "", "\(url) would be shown the token in clear over the network",
                "write https://\(url.endpoint), or ask a Consul agent on this machine")
        }
    }

    private func dnsProblems(_ say: Say) {
        let domains = discovery.dns.domains
        if domains.count > ConfigurationBounds.domains {
            say(
                "discovery.dns.domains", "", "\(domains.count) domains",
                "at most \(ConfigurationBounds.domains)")
        }
        for (number, domain) in domains.enumerated() where domains.prefix(number).contains(domain) {
            say("discovery.dns.domains", "[\(number)]", "\(domain) is there twice", "keep one of the two")
        }
        guard let server = discovery.dns.server else { return }
        if !DNSConfiguration.canAsk(server) {
            say(
                "discovery.dns.server", "", "\(server) is no name server's address",
                "name its address and port, such as 192.0.2.53:53")
        }
        if domains.isEmpty {
            say(
                "discovery.dns.server", "", "a name server and no domain to look in",
                "set discovery.dns.domains, or remove the server")
        }
    }
}
