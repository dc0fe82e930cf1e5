import MeshBase

@testable import MeshAgent

/// `config.yaml`, as somebody or something wrote it.
extension FuzzTargets {
    static let agent = [
        FuzzTarget(
            "configuration", longest: 2_048,
            samples: {
                [
                    """
                    name: alpha
                    listen: "[::]:7500"   # where
                    advertise: [mesh.example.org:443]
                    gateway: { access: token, users: { 1000: 'alice' } }
                    audit:
                      bytes: 512 MiB

                    """, "name: beta\n", "",
                ].map { Array($0.utf8) }
            },
            read: { bytes in
                let reading = read(bytes, [:])
                for problem in reading.problems {
                    try hold(!problem.description.isEmpty, "a problem that says nothing")
                }
                guard reading.problems.isEmpty else { return .refused }
                // In one line of text commas, plus and equals signs stand between names: only the file can
                // give a principal that holds one.
                guard !namesSeparators(reading.configuration.gateway) else { return .taken }
                let shown = Dictionary(uniqueKeysWithValues: reading.values.map { ($0.variable, $0.text) })
                let again = read(nil, shown)
                try hold(again.problems.isEmpty, "shown, it is refused: \(again.problems)")
                try hold(again.configuration == reading.configuration, "shown and read again it is another")
                return .taken
            })
    ]

    private static func namesSeparators(_ gateway: AgentConfiguration.Gateway) -> Bool {
        let principals = gateway.users.values + gateway.principals.values.flatMap(\.self)
        return principals.contains { $0.description.contains { ",+=".contains($0) } }
    }

    private static func read(_ file: [UInt8]?, _ environment: [String: String]) -> ConfigurationReading {
        guard let name = NodeName("laptop") else { preconditionFailure("laptop is no name") }
        return ConfigurationReader.read(file: file, environment: environment, hostName: name)
    }
}
