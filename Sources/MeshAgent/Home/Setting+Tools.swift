import MeshBase

// MCP servers that the agent runs.
extension Setting {
    static let tools: [Setting] = [
        several("mcp.servers", \.mcp.servers, read: SettingReading.programs) { table in
            table.map { name, command in "\(name)=\(command.joined(separator: " "))" }
                .joined(separator: ",")
        }.inFileOnly()
    ]
}

extension SettingForm where Value == ResourceName {
    static let resource = SettingForm(
        expected: "1 to 64 lower-case letters, digits, '.', '_' or '-', the first a letter or digit"
    ) { ResourceName($0) }
}

extension SettingForm where Value == String {
    /// What a program is started by, in words.
    static let command =
        "[/path/of/program, argument, ...], at most \(ConfigurationBounds.commandWords) words"
    /// One of its words.
    static let commandWord = SettingForm(
        expected: "a word of at most \(ConfigurationBounds.commandWord) bytes"
    ) { text in
        text.utf8.count <= ConfigurationBounds.commandWord && !text.utf8.contains(0) ? text : nil
    }
}

extension AgentConfiguration {
    func toolProblems(_ say: Say) {
        let most = ConfigurationBounds.toolServers
        guard mcp.servers.count > most else { return }
        say("mcp.servers", "", "\(mcp.servers.count) programs", "name at most \(most)")
    }
}
