import MeshBase

/// What reading the configuration again changes: some values at once, others at the next start.
struct ConfigurationChange: Sendable, Equatable {
    /// One value that is not as it was.
    struct Item: Sendable, Equatable {
        let key: String
        /// By which the agent runs so far.
        let before: String
        let after: String
        /// Who says so now.
        let origin: ConfigurationOrigin
    }

    /// By which the agent runs from now on: where a value waits for the next start, the old one.
    let reading: ConfigurationReading
    /// In force now.
    let applied: [Item]
    /// In force after a restart.
    let waiting: [Item]

    /// - Parameter wanted: a reading without problems.
    init(from running: ConfigurationReading, to wanted: ConfigurationReading) {
        var configuration = running.configuration
        var values: [ConfigurationReading.Value] = []
        var applied: [Item] = []
        var waiting: [Item] = []
        for setting in Setting.all {
            guard let old = running.value(of: setting.key), let new = wanted.value(of: setting.key) else {
                preconditionFailure("a reading lacks \(setting.key)")
            }
            let item = Item(key: setting.key, before: old.text, after: new.text, origin: new.origin)
            switch (old.text == new.text, setting.change) {
            case (true, _): values.append(new)
            case (false, .atOnce):
                setting.copy(wanted.configuration, &configuration)
                values.append(new)
                applied.append(item)
            case (false, .withRestart):
                values.append(old)
                waiting.append(item)
            }
        }
        reading = ConfigurationReading(
            configuration: configuration, problems: [], values: values, notices: wanted.notices)
        self.applied = applied
        self.waiting = waiting
    }
}

/// Where an agent's configuration comes from: read at its start, and again whenever somebody asks.
struct ConfigurationSources: Sendable {
    let home: Home
    let options: ConfigurationOptions
    let environment: [String: String]

    func read() throws(HomeError) -> ConfigurationReading {
        try ConfigurationReader.read(home: home, environment: environment, options: options)
    }
}
