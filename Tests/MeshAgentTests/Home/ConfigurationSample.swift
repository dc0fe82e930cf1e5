import MeshBase

@testable import MeshAgent

let sampleHost = NodeName("laptop") ?? .ofThisHost()
let sampleNode = NodeID(Digest.zero)

func readConfiguration(
    _ yaml: String? = nil, _ environment: [String: String] = [:],
    _ options: ConfigurationOptions = ConfigurationOptions(),
    named files: [String: String] = ["peers.json": #"["listed.example:7410"]"#]
) -> ConfigurationReading {
    ConfigurationReader.read(
        file: yaml.map { Array($0.utf8) }, environment: environment, options: options, hostName: sampleHost
    ) { path in files[path].map { Array($0.utf8) } }
}
