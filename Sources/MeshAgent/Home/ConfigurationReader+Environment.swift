extension ConfigurationReader {
    /// Variables with our prefix that are not settings.
    private static let otherVariables = [
        "COMITY_HOME", "COMITY_JOIN", "COMITY_JOIN_FILE", "COMITY_ONLY", "COMITY_CONSUL_TOKEN",
    ]

    /// What the original federation called its settings, where this version has none of the kind yet.
    private static let laterFeatures = [
        ("FEDERATION_CA_CERT_PATH", "certificates of an organisation's own CA"),
        ("FEDERATION_NODE_CERT_PATH", "certificates of an organisation's own CA"),
        ("FEDERATION_NODE_KEY_PATH", "certificates of an organisation's own CA"),
    ]

    /// Takes the aliases first, so that our own names win over them.
    mutating func take(environment: [String: String]) {
        takeAliases(environment)
        for setting in Setting.all {
            // An empty variable is how many tools say "not set".
            guard let text = environment[setting.variable], !text.isEmpty else { continue }
            guard setting.sources == .anywhere else {
                problems.append(
                    ConfigurationProblem(
                        key: setting.key, origin: .environment(setting.variable),
                        what: "is set in config.yaml only", fix: "unset it, and write \(setting.key) there"))
                continue
            }
            apply(setting, SettingValue(.text(text)), from: .environment(setting.variable))
        }
        // Not a mistake that stops the agent: orchestrators add variables named after a service
        // (`COMITY_SERVICE_HOST`).
        let known = Set(Setting.all.map(\.variable) + Self.otherVariables)
        for name in environment.keys.sorted() where name.hasPrefix("COMITY_") && !known.contains(name) {
            let advice = SettingNames.advice(for: name, among: known.sorted())
            notices.append("\(name.prefix(60)) is no setting and was left alone: \(advice)")
        }
    }

    private mutating func takeAliases(_ environment: [String: String]) {
        if let name = environment["FEDERATION_NODE_ID"], !name.isEmpty {
            applyAlias("FEDERATION_NODE_ID", to: "name", name)
        }
        if let url = environment["FEDERATION_CONSUL_URL"], !url.isEmpty {
            applyAlias("FEDERATION_CONSUL_URL", to: "discovery.consul.url", url)
        }
        if let method = environment["FEDERATION_DISCOVERY_METHOD"], !method.isEmpty {
            takeDiscoveryMethod(method, environment)
        }
        for (variable, feature) in Self.laterFeatures {
            guard let text = environment[variable], !text.isEmpty else { continue }
            problems.append(
                ConfigurationProblem(
                    key: variable, origin: .environment(variable), what: "\(feature): not in this version",
                    fix: "unset it"))
        }
    }

    /// The original knew one method at a time: the one that is named is on, mDNS is off unless it is that.
    private mutating func takeDiscoveryMethod(_ method: String, _ environment: [String: String]) {
        let variable = "FEDERATION_DISCOVERY_METHOD"
        switch method.lowercased() {
        case "mdns", "avahi": return applyAlias(variable, to: "discovery.avahi", "on")
        case "static": break
        case "consul":
            if environment["FEDERATION_CONSUL_URL"]?.isEmpty ?? true,
                configuration.discovery.consul.url == nil
            {
                applyAlias(variable, to: "discovery.consul.url", "http://127.0.0.1:8500")
            }
        case "dns", "dns-sd", "dnssd":
            if environment["COMITY_DISCOVERY_DNS_DOMAINS"]?.isEmpty ?? true,
                configuration.discovery.dns.domains.isEmpty
            {
                problems.append(
                    ConfigurationProblem(
                        key: variable, origin: .environment(variable), what: "dns, and no domain to look in",
                        fix: "set COMITY_DISCOVERY_DNS_DOMAINS"))
            }
        default:
            problems.append(
                ConfigurationProblem(
                    key: variable, origin: .environment(variable),
                    what: "\"\(method.prefix(60))\" is no method",
                    fix: "mdns, dns, consul or static"))
            return
        }
        applyAlias(variable, to: "discovery.avahi", "off")
    }

    private mutating func applyAlias(_ variable: String, to key: String, _ text: String) {
        guard let setting = Setting.all.first(where: { $0.key == key }) else {
            preconditionFailure("no setting is called \(key)")
        }
        apply(setting, SettingValue(.text(text)), from: .environment(variable))
    }
}

/// Finds what somebody may have meant.
enum SettingNames {
    /// A fix for a name that does not exist.
    static func advice(for name: String, among known: [String]) -> String {
        let near = known.map { ($0, distance(name.lowercased(), $0.lowercased())) }.min { $0.1 < $1.1 }
        if let near, near.1 <= 1 + name.count / 6 { return "did you mean \(near.0)?" }
        return "remove it; comity config show lists every setting"
    }

    /// Insertions, removals and changes between the two (Levenshtein); names beyond 64 characters are near to
    /// nothing.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count <= 64 else { return .max }
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let change = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
