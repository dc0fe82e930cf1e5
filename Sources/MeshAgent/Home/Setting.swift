import MeshBase

/// One setting: its name in every place where it can be set, how it is read, and how it is shown.
///
/// `Setting.all` is the only list of settings; the file, the environment, the options and `config show` all
/// go through it.
struct Setting: Sendable {
    /// In the file: `gateway.listen`.
    let key: String
    /// The option of `comity up`, where there is one.
    let option: String?
    /// Changes the configuration by what somebody wrote; on a flaw it changes nothing.
    let apply: @Sendable (SettingValue, inout AgentConfiguration) -> [SettingFlaw]
    /// The value as one would write it in the environment.
    let show: @Sendable (AgentConfiguration) -> String
    /// Puts the value of the first into the second.
    let copy: @Sendable (AgentConfiguration, inout AgentConfiguration) -> Void
    /// When a new value of it holds.
    private(set) var change = Change.withRestart
    /// Where it may be set.
    private(set) var sources = Sources.anywhere

    /// When a new value of a setting holds.
    enum Change: Sendable, Equatable {
        /// `comity config reload` puts it into force.
        case atOnce
        /// At the agent's next start.
        case withRestart
    }

    /// Where a setting may be set.
    enum Sources: Sendable, Equatable {
        case anywhere
        /// In `config.yaml`, and there only while nobody but its owner can change it.
        case fileOnly
    }

    /// The same, set in the file only.
    func inFileOnly() -> Setting {
        var setting = self
        setting.sources = .fileOnly
        return setting
    }

    /// The same, changed without a restart.
    private func atOnce() -> Setting {
        var setting = self
        setting.change = .atOnce
        return setting
    }

    /// In the environment: `COMITY_GATEWAY_LISTEN`, `COMITY_AGREEMENTS_AUTO_ACCEPT`.
    var variable: String {
        var name = "COMITY_"
        for character in key {
            if character == "." {
                name += "_"
            } else {
                name += (character.isUppercase ? "_" : "") + character.uppercased()
            }
        }
        return name
    }

    /// A setting of one value.
    static func one<Value>(
        _ key: String, option: String? = nil, _ form: SettingForm<Value>,
        _ path: SettingPath<Value>,
        show: @escaping @Sendable (Value) -> String
    ) -> Setting {
        Setting(
            key: key, option: option,
            apply: { written, configuration in
                do throws(SettingFlaw) {
                    configuration[keyPath: path] = try form.value(of: written)
                    return []
                } catch {
                    return [error]
                }
            },
            show: { show($0[keyPath: path]) },
            copy: { $1[keyPath: path] = $0[keyPath: path] })
    }

    /// A setting that is read by a function which collects all flaws.
    static func several<Value>(
        _ key: String, option: String? = nil, _ path: SettingPath<Value>,
        read: @escaping @Sendable (SettingValue, inout [SettingFlaw]) -> Value,
        show: @escaping @Sendable (Value) -> String
    ) -> Setting {
        Setting(
            key: key, option: option,
            apply: { written, configuration in
                var flaws: [SettingFlaw] = []
                let value = read(written, &flaws)
                if flaws.isEmpty { configuration[keyPath: path] = value }
                return flaws
            },
            show: { show($0[keyPath: path]) },
            copy: { $1[keyPath: path] = $0[keyPath: path] })
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, option: String? = nil, _ path: SettingPath<Value>
    ) -> Setting {
        one(key, option: option, .choice, path) { $0.rawValue }
    }

    static func toggle(_ key: String, _ path: SettingPath<Bool>)
        -> Setting
    {
        one(key, .toggle, path) { $0 ? "on" : "off" }
    }

    /// Every setting, in the order in which `config show` prints them.
    static let all: [Setting] =
        [
            one("name", option: "--name", .name, \.name) { $0.description },
            one("listen", option: "--listen", .listener, \.listen) { $0.description },
            several("advertise", option: "--advertise", \.advertise, read: SettingReading.endpoints) {
                $0.map(\.description).joined(separator: ",")
            }.atOnce(),
        ] + discovery + [
            one("gateway.listen", option: "--gateway", .localListener, \.gateway.listen) { $0.description },
            choice("gateway.access", \.gateway.access),
            several("gateway.principals", \.gateway.principals, read: SettingReading.principals) { table in
                table.map { caller, names in "\(caller)=\(names.map(\.description).joined(separator: "+"))" }
                    .joined(separator: ",")
            }.atOnce(),
            several("gateway.users", \.gateway.users, read: SettingReading.users) { table in
                table.map { user, name in "\(user)=\(name)" }.joined(separator: ",")
            }.atOnce(),
            choice("agreements.autoAccept", \.agreements.autoAccept).atOnce(),
            several(
                "agreements.requireApprovals", \.agreements.requireApprovals, read: SettingReading.personRoles
            ) { $0.map(\.rawValue).joined(separator: ",") }.atOnce(),
        ] + policy + rates + tools + [
            toggle("echo", \.isEchoOffered).atOnce(),
            one("audit.days", .number(ConfigurationBounds.auditDays, of: "days"), \.audit.days) { "\($0)" },
            one("audit.bytes", .bytes(ConfigurationBounds.auditBytes), \.audit.bytes) { ByteCount.text($0) },
            choice("log.level", option: "--log-level", \.log.level).atOnce(),
            choice("log.format", option: "--log-format", \.log.format).atOnce(),
        ]
}

/// Where a setting stands in the configuration.
typealias SettingPath<Value> = any WritableKeyPath<AgentConfiguration, Value> & Sendable

/// The ranges of what is configured.
enum ConfigurationBounds {
    static let auditDays: ClosedRange<Int64> = 1...3_650
    /// Four segments of the journal at least: one that is written, one that is read, and room to let go of
    /// whole ones.
    static let auditBytes: ClosedRange<Int64> = 64 << 20...1 << 40
    static let staticPeers = 256
    static let sightingLife: ClosedRange<Duration> = .seconds(30) ... .seconds(3_600)
    /// Pairs that Consul's metadata says, or must say; a server takes 64, with its own.
    static let metadataPairs = 16
    static let domains = 8
    static let policyTimeout: ClosedRange<Duration> = .milliseconds(10) ... .seconds(5)
    static let policyCache: ClosedRange<Duration> = .zero ... .seconds(3_600)
    static let principalsPerCaller = 64
    /// Programs that speak MCP, the words of one's command, and the bytes of a word.
    static let (toolServers, commandWords, commandWord) = (16, 64, 4_096)
    static let callers = 1_024
}

extension AgentConfiguration.StaticPeer: CustomStringConvertible {
    /// `HOST:PORT`, or `NODE@HOST:PORT`.
    public var description: String { node.map { "\($0)@\(endpoint)" } ?? endpoint.description }
}

extension AgentConfiguration.Caller: CustomStringConvertible {
    /// `port`, or the user ID.
    public var description: String {
        switch self {
        case .port: "port"
        case .user(let user): "\(user)"
        }
    }
}
