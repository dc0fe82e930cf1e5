import MeshBase
import MeshControl

// The parts of reports that come from around the node.
extension Surroundings {
    /// Where peers can reach this node, best first: what the operator advertises, else what it listens on,
    /// address by address.
    var reachable: [Endpoint] {
        let facts = facts
        guard facts.advertised.isEmpty, let link = facts.link else { return facts.advertised }
        switch link.host {
        case "::": return LocalNetworks.addresses().map { Endpoint(host: $0, port: link.port) }
        case "0.0.0.0":
            return LocalNetworks.addresses().filter { !$0.contains(":") }.map {
                Endpoint(host: $0, port: link.port)
            }
        default: return [link]
        }
    }

    var listening: ListeningReport {
        let facts = facts
        return ListeningReport(
            link: reachable, gateway: facts.gateway, gatewaySocket: facts.gatewaySocket,
            control: facts.control)
    }

    /// How each way to find others fares.
    func discovery(at now: Instant) -> [DiscoveryReport] {
        facts.discovery.map { method, way in
            DiscoveryReport(
                method: method, state: way.state, detail: way.detail,
                answerAgeSeconds: way.answered.map { (now - $0).fractionalMilliseconds / 1_000 },
                answerMilliseconds: way.took?.fractionalMilliseconds)
        }
    }

    /// What holds, with a log level that was ordered in the place of the configured one.
    var configuration: ConfigurationReport {
        let ordered = log.setting.order(at: SystemClock.now().instant)
        return ConfigurationReport(
            values: reading.values.map { value in
                guard value.key == "log.level", let ordered else {
                    return ConfigurationValue(
                        key: value.key, value: value.text, origin: value.origin.description)
                }
                return ConfigurationValue(
                    key: value.key, value: ordered.level.rawValue, origin: "comity log level")
            })
    }
}
