import MeshBase

// How peers are found.
extension Setting {
    static let discovery: [Setting] =
        [
            toggle("discovery.avahi", \.discovery.isAvahiOn),
            several("discovery.static", \.discovery.static, read: SettingReading.staticPeers) {
                $0.map(\.description).joined(separator: ",")
            },
            optional("discovery.staticFile", .path, \.discovery.staticFile) { $0 },
            toggle("discovery.allowLoopback", \.discovery.allowsLoopback),
            one(
                "discovery.sightingLife", .duration(ConfigurationBounds.sightingLife),
                \.discovery.sightingLife
            ) { "\($0.components.seconds)s" },
        ] + consul + [
            several("discovery.dns.domains", \.discovery.dns.domains, read: SettingReading.domains) {
                $0.joined(separator: ",")
            },
            optional("discovery.dns.server", .endpoint, \.discovery.dns.server) { $0.description },
        ]

    private static let consul: [Setting] = [
        optional("discovery.consul.url", .serverURL, \.discovery.consul.url) { $0.description },
        one("discovery.consul.service", .serviceName, \.discovery.consul.service) { $0 },
        optional("discovery.consul.datacenter", .serviceName, \.discovery.consul.datacenter) { $0 },
        toggle("discovery.consul.announce", \.discovery.consul.announces),
        several("discovery.consul.metadata", \.discovery.consul.metadata, read: SettingReading.metadata) {
            $0.map { "\($0)=\($1)" }.joined(separator: ",")
        },
        several("discovery.consul.require", \.discovery.consul.required, read: SettingReading.metadata) {
            $0.map { "\($0)=\($1)" }.joined(separator: ",")
        },
        optional("discovery.consul.tokenFile", .path, \.discovery.consul.tokenFile) { $0 },
        optional("discovery.consul.caFile", .path, \.discovery.consul.authorityFile) { $0 },
        optional("discovery.consul.certificateFile", .path, \.discovery.consul.certificateFile) { $0 },
        optional("discovery.consul.keyFile", .path, \.discovery.consul.keyFile) { $0 },
    ]

    /// A setting that may be absent, which is shown as nothing.
    static func optional<Value: Sendable>(
        _ key: String, _ form: SettingForm<Value>, _ path: SettingPath<Value?>,
        show: @escaping @Sendable (Value) -> String
    ) -> Setting {
        one(key, SettingForm(expected: form.expected) { form.read($0).map { .some($0) } }, path) {
            $0.map(show) ?? ""
        }
    }
}
