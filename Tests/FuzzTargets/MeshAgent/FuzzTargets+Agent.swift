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
                let shown = Dictionary(uniqueKeysWithValues: reading.values.map { ($0.variable, $0.text) })
                let again = read(nil, shown)
                try hold(again.problems.isEmpty, "shown, it is refused: \(again.problems)")
                try hold(again.configuration == reading.configuration, "shown and read again it is another")
                return .taken
            })
    ]

    private static func read(_ file: [UInt8]?, _ environment: [String: String]) -> ConfigurationReading {
        guard let name = NodeName("laptop") else { preconditionFailure("laptop is no name") }
        return ConfigurationReader.read(file: file, environment: environment, hostName: name)
    }
}
