import MeshBase

@testable import MeshConsul

/// Lists of registrations, as a Consul server or who stands in its place writes them.
extension FuzzTargets {
    static let consul = [
        FuzzTarget(
            "consul-listing", longest: 4_096,
            samples: {
                [
                    #"""
                    [{"Node":{"ID":"a","Node":"n1","Address":"192.0.2.1","Meta":null},
                      "Service":{"ID":"comity-1","Service":"comity","Tags":[],"Address":"","Port":7410,
                        "Meta":{"t":"AAAAAAAAAAA","v":"1"},"Weights":{"Passing":1,"Warning":1.5}},
                      "Checks":[{"CheckID":"service:comity-1","Status":"passing",
                        "Output":"\u00e9\ud83d\ude00\/"}]}]
                    """#,
                    #"[{"Node":{"Node":"n"},"Service":{"ID":"x","Address":"2001:db8::1","Port":1}}]"#, "[]",
                ].map { Array($0.utf8) }
            },
            read: { bytes in
                let listing: ConsulListing
                do throws(ConsulFailure) {
                    listing = try ConsulListing(bytes)
                } catch {
                    try hold(!error.description.isEmpty, "a failure that says nothing")
                    return .refused
                }
                for entry in listing.entries {
                    try hold(entry.endpoint.port > 0, "a port that nobody listens at")
                    try hold(
                        Endpoint(entry.endpoint.description) == entry.endpoint, "an endpoint that is none")
                    try hold((1...255).contains(entry.source.utf8.count), "a source beyond its bound")
                }
                return .taken
            })
    ]
}
