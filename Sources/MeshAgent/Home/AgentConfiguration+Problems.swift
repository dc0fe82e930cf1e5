import MeshBase

extension AgentConfiguration {
    /// All that is wrong with these values, whoever set them and however. Empty: an agent can start with
    /// them.
    /// - Parameter origin: where the value under a key came from.
    public func problems(
        origin: (_ key: String) -> ConfigurationOrigin = { _ in .standard }
    ) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func say(_ key: String, _ place: String, _ what: String, _ fix: String) {
            problems.append(ConfigurationProblem(key: key + place, origin: origin(key), what: what, fix: fix))
        }
        addressProblems(say)
        discoveryProblems(say)
        gatewayProblems(say)
        policyProblems(say)
        toolProblems(say)
        let days = ConfigurationBounds.auditDays
        if !days.contains(audit.days) {
            say("audit.days", "", "\(audit.days) days", "\(days.lowerBound) to \(days.upperBound)")
        }
        let bytes = ConfigurationBounds.auditBytes
        if !bytes.contains(audit.bytes) {
            say(
                "audit.bytes", "", ByteCount.text(audit.bytes),
                "\(ByteCount.text(bytes.lowerBound)) to \(ByteCount.text(bytes.upperBound))")
        }
        return problems
    }

    typealias Say = (_ key: String, _ place: String, _ what: String, _ fix: String) -> Void

    private func addressProblems(_ say: Say) {
        if advertise.count > Limits.endpointsPerPeer {
            say(
                "advertise", "",
                "\(advertise.count) addresses, of which peers keep \(Limits.endpointsPerPeer)",
                "name at most \(Limits.endpointsPerPeer)")
        }
        for (number, endpoint) in advertise.enumerated() where !endpoint.isDialable {
            say(
                "advertise", "[\(number)]", "nobody can dial \(endpoint)",
                "name an address that peers reach, with its port")
        }
        if listen.port != 0, listen.port == gateway.listen.port, listen.overlaps(gateway.listen) {
            say(
                "listen", "", "\(listen) is where the gateway listens too (\(gateway.listen))",
                "give one of the two another port")
        }
    }

    private func gatewayProblems(_ say: Say) {
        if !gateway.listen.isLoopback {
            say(
                "gateway.listen", "", "\(gateway.listen) is not a loopback address",
                "127.0.0.1:\(gateway.listen.port): whoever reaches the gateway calls in this node's name")
        }
        if gateway.principals.count > ConfigurationBounds.callers
            || gateway.users.count > ConfigurationBounds.callers
        {
            say(
                gateway.users.count > ConfigurationBounds.callers ? "gateway.users" : "gateway.principals",
                "",
                "more than \(ConfigurationBounds.callers) callers", "list fewer")
        }
        for (caller, names) in gateway.principals where names.count > ConfigurationBounds.principalsPerCaller
        {
            say(
                "gateway.principals", ".\(caller)", "\(names.count) principals",
                "at most \(ConfigurationBounds.principalsPerCaller) for one caller")
        }
    }
}

extension Endpoint {
    /// Whether it says "all addresses of this machine".
    fileprivate var isUnspecified: Bool { host == "::" || host == "0.0.0.0" }
    var isDialable: Bool { port != 0 && !isUnspecified }
    /// Whether a listener here would be in the way of one there, were the ports the same.
    fileprivate func overlaps(_ other: Endpoint) -> Bool {
        host == other.host || isUnspecified || other.isUnspecified
    }
}
