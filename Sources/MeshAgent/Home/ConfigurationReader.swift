import MeshBase

/// Puts the configuration together: defaults < `config.yaml` < environment < options of the command. It reads
/// on after a mistake, so that all of them are told at once.
public struct ConfigurationReader: Sendable {
    /// The configuration so far.
    var configuration: AgentConfiguration
    var problems: [ConfigurationProblem] = []
    var notices: [String] = []
    var origins: [String: ConfigurationOrigin] = [:]

    private init(name: NodeName) { configuration = AgentConfiguration(name: name) }

    /// Reads the configuration of `home`.
    /// - Throws: `refused` or `tooLong` when there is a file that cannot be read; what is wrong in it is in
    ///   the answer.
    public static func read(
        home: Home, environment: [String: String], options: ConfigurationOptions = ConfigurationOptions()
    ) throws(HomeError) -> ConfigurationReading {
        let file = try home.contents(of: home.configuration, limit: ConfigurationText.sizeLimit)
        let isGuarded = file == nil || home.isGuarded(home.configuration)
        return read(
            file: file, environment: environment, options: options, isFileGuarded: isGuarded
        ) { path throws(HomeError) in
            try home.contents(of: home.resolve(path), limit: ConfigurationText.sizeLimit)
        }
    }

    /// Reads the configuration from what was read already.
    /// - Parameters:
    ///   - file: the bytes of `config.yaml`; nil when there is none.
    ///   - environment: all variables of the process; others than ours are left alone.
    ///   - hostName: the name when nobody set one.
    ///   - isFileGuarded: whether nobody but its owner, who is this user or root, can change the file.
    ///   - named: the bytes of a file that the configuration names; nil when there is none.
    public static func read(
        file: [UInt8]?, environment: [String: String], options: ConfigurationOptions = ConfigurationOptions(),
        hostName: NodeName = .ofThisHost(), isFileGuarded: Bool = true,
        named: (String) throws(HomeError) -> [UInt8]? = { _ in nil }
    ) -> ConfigurationReading {
        var reader = ConfigurationReader(name: hostName)
        if let file { reader.take(file: file) }
        if !isFileGuarded { reader.refuseGuardedSettings() }
        reader.take(environment: environment)
        reader.take(options)
        reader.takeStaticFile(named)
        return reader.finished()
    }

    private func finished() -> ConfigurationReading {
        let settings = Setting.all.map { setting in
            ConfigurationReading.Value(
                key: setting.key, text: setting.show(configuration),
                origin: origins[setting.key] ?? .standard,
                variable: setting.variable)
        }
        return ConfigurationReading(
            configuration: configuration,
            problems: problems + configuration.problems { origins[$0] ?? .standard }, values: settings,
            notices: notices)
    }

    /// Applies one value; on a flaw the one before it stays.
    mutating func apply(_ setting: Setting, _ value: SettingValue, from origin: ConfigurationOrigin) {
        let flaws = setting.apply(value, &configuration)
        for flaw in flaws {
            var place = origin
            if case .file = origin { place = .file(line: flaw.line ?? value.line) }
            problems.append(
                ConfigurationProblem(
                    key: setting.key + flaw.place, origin: place, what: flaw.what, fix: flaw.fix))
        }
        if flaws.isEmpty { origins[setting.key] = origin }
    }

    // MARK: The file

    private mutating func take(file: [UInt8]) {
        do {
            take(try ConfigurationText.members(of: file), under: "")
        } catch {
            problems.append(
                ConfigurationProblem(
                    key: "", origin: .file(line: error.line), what: error.what, fix: error.fix))
        }
    }

    private mutating func take(_ members: [SettingValue.Member], under group: String) {
        for member in members {
            let key = group + member.key
            if let setting = Setting.all.first(where: { $0.key == key }) {
                guard member.value.content != .nothing else {
                    problems.append(
                        ConfigurationProblem(
                            key: key, origin: .file(line: member.line), what: "has no value",
                            fix: "write one, or remove the line for the default"))
                    continue
                }
                apply(setting, member.value, from: .file(line: member.line))
            } else if Setting.all.contains(where: { $0.key.hasPrefix(key + ".") }) {
                takeGroup(member, key: key)
            } else {
                problems.append(
                    ConfigurationProblem(
                        key: String(key.prefix(60)), origin: .file(line: member.line), what: "is no setting",
                        fix: SettingNames.advice(for: key, among: Setting.all.map(\.key))))
            }
        }
    }

    private mutating func takeGroup(_ member: SettingValue.Member, key: String) {
        switch member.value.content {
        case .table(let inner): take(inner, under: key + ".")
        case .nothing: break
        case .text, .list:
            let names = Setting.all.map(\.key).filter { $0.hasPrefix(key + ".") }
            problems.append(
                ConfigurationProblem(
                    key: key, origin: .file(line: member.line),
                    what: "is a group of settings, not \(member.value.kind)",
                    fix: "set \(names.joined(separator: ", "))"))
        }
    }

    /// Whoever can change the file would otherwise have programs run in this user's name.
    private mutating func refuseGuardedSettings() {
        for setting in Setting.all where setting.sources == .fileOnly {
            guard let origin = origins[setting.key] else { continue }
            problems.append(
                ConfigurationProblem(
                    key: setting.key, origin: origin,
                    what: "names programs to run, and others can change config.yaml",
                    fix: "chmod go-w config.yaml, owned by the agent's user or root"))
        }
    }

    // MARK: The options

    private mutating func take(_ options: ConfigurationOptions) {
        for (option, text) in options.given {
            guard let setting = Setting.all.first(where: { $0.option == option }) else {
                preconditionFailure("no setting has the option \(option)")
            }
            apply(setting, SettingValue(.text(text)), from: .option(option))
        }
    }
}

/// What the command line gave, as it was written; nil and empty: not given.
public struct ConfigurationOptions: Sendable, Equatable {
    /// `--name`
    public var name: String?
    /// `--listen`
    public var listen: String?
    /// `--gateway`
    public var gateway: String?
    /// `--advertise`, which may be given several times.
    public var advertise: [String]
    /// `--log-level`
    public var logLevel: String?
    /// `--log-format`
    public var logFormat: String?

    public init(
        name: String? = nil, listen: String? = nil, gateway: String? = nil, advertise: [String] = [],
        logLevel: String? = nil, logFormat: String? = nil
    ) {
        self.name = name
        self.listen = listen
        self.gateway = gateway
        self.advertise = advertise
        self.logLevel = logLevel
        self.logFormat = logFormat
    }

    var given: [(String, String)] {
        let addresses = advertise.isEmpty ? nil : advertise.joined(separator: ",")
        return [
            ("--name", name), ("--listen", listen), ("--gateway", gateway), ("--advertise", addresses),
            ("--log-level", logLevel), ("--log-format", logFormat),
        ].compactMap { option, text in text.map { (option, $0) } }
    }
}

/// The configuration as it was put together.
public struct ConfigurationReading: Sendable, Equatable {
    /// What holds. Where something is wrong, the value before it: not to be used while there are problems.
    public let configuration: AgentConfiguration
    /// All that is wrong. The agent starts only when there is nothing.
    public let problems: [ConfigurationProblem]
    /// Every setting with its value and where that came from, for `config show`.
    public let values: [Value]
    /// What was left alone and is worth a line.
    public let notices: [String]

    /// One setting.
    public struct Value: Sendable, Equatable {
        /// Its name in the file.
        public let key: String
        /// Its value as the environment would give it.
        public let text: String
        /// Who set it.
        public let origin: ConfigurationOrigin
        /// Its name in the environment.
        public let variable: String
    }

    /// The value of `key`.
    func value(of key: String) -> Value? { values.first { $0.key == key } }

    /// Who set `key`.
    public func origin(of key: String) -> ConfigurationOrigin {
        values.first { $0.key == key }?.origin ?? .standard
    }
}
