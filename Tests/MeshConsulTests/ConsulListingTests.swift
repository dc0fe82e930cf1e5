import MeshBase
import MeshWire
import Testing

@testable import MeshConsul

@Suite("A list of registrations")
struct ConsulListingTests {
    private func read(_ text: String) throws(ConsulFailure) -> ConsulListing {
        try ConsulListing(Array(text.utf8))
    }

    private func entry(
        node: String = #"{"Node":"n1","Address":"192.0.2.1","Meta":null}"#,
        service: String = #"{"ID":"s1","Address":"192.0.2.9","Port":7410,"Meta":{"v":"1"}}"#,
        checks: String = #"[{"Status":"passing"}]"#
    ) -> String {
        #"{"Node":\#(node),"Service":\#(service),"Checks":\#(checks)}"#
    }

    @Test("gives each registration's ID, address and metadata")
    func reads() throws {
        let listing = try read("[\(entry())]")
        #expect(listing.passedOver == 0)
        #expect(listing.entries.map(\.source) == ["n1/s1"])
        #expect(listing.entries.map(\.id) == ["s1"])
        #expect(listing.entries.map(\.endpoint) == [Endpoint(host: "192.0.2.9", port: 7410)])
        #expect(listing.entries.map(\.metadata) == [["v": "1"]])
    }

    @Test("takes the address of the node for a registration that has none")
    func emptyAddress() throws {
        for service in [#"{"ID":"s1","Address":"","Port":1}"#, #"{"ID":"s1","Port":1}"#] {
            let listing = try read("[\(entry(service: service))]")
            #expect(listing.entries.map(\.endpoint) == [Endpoint(host: "192.0.2.1", port: 1)])
        }
        let six = entry(node: #"{"Node":"n1","Address":"2001:db8::1"}"#, service: #"{"ID":"s","Port":1}"#)
        #expect(try read("[\(six)]").entries.map(\.endpoint) == [Endpoint(host: "2001:db8::1", port: 1)])
    }

    @Test("passes over what is not healthy, has no place, or is not as its kind must be")
    func passesOver() throws {
        let bad = [
            entry(checks: #"[{"Status":"passing"},{"Status":"critical"}]"#), entry(checks: #"[{}]"#),
            entry(service: #"{"ID":"s1","Port":0}"#), entry(service: #"{"ID":"s1","Port":65536}"#),
            entry(service: #"{"ID":"s1","Port":"1"}"#), entry(service: #"{"ID":"s1","Port":1.0}"#),
            entry(service: #"{"ID":"","Port":1}"#), entry(service: #"{"ID":"a b","Port":1}"#),
            entry(service: #"{"ID":"s1","Address":"fe80::1%eth0","Port":1}"#),
            entry(service: #"{"ID":"s1","Address":"a\nb","Port":1}"#), entry(node: "null"),
            entry(node: #"{"Node":"n1"}"#, service: #"{"ID":"s1","Port":1}"#), "null", "7", #"{"Node":{}}"#,
            entry(service: #"{"ID":"\#(String(repeating: "x", count: 253))","Port":1}"#),
        ]
        let listing = try read("[" + (bad + [entry()]).joined(separator: ",") + "]")
        #expect(listing.entries.count == 1)
        #expect(listing.passedOver == bad.count)
    }

    @Test("is refused as a whole when it is no JSON, no list, or says one thing twice")
    func refuses() {
        let long = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        for text in [
            "", "null", "{}", "[", "[] []", "[01]", "[1.]", "[+1]", #"["\ud800"]"#, #"["\x"]"#, "[\"\u{1}\"]",
            #"[{"Node":1,"Node":2}]"#, #"[{"a":1,}]"#, "[tru]", "[,]", long,
        ] {
            #expect(throws: ConsulFailure.self, "\(text)") { try read(text) }
        }
        #expect(throws: ConsulFailure.self) { try ConsulListing([0x5b, 0x22, 0xff, 0x22, 0x5d]) }
    }

    @Test("is not looked at beyond four mebibytes, nor beyond a hundred thousand values")
    func bounds() throws {
        let room = ConsulListing.lengthInBytes
        let blank = [UInt8](repeating: 0x20, count: room - 2)
        #expect(try ConsulListing(blank + Array("[]".utf8)).entries == [])
        #expect(throws: ConsulFailure.answerTooLong(limit: room)) {
            try ConsulListing(blank + Array(" []".utf8))
        }
        let values = { (count: Int) in "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]"
        }
        #expect(try read(values(ForeignJSON.valuesMax - 1)).passedOver == ForeignJSON.valuesMax - 1)
        #expect(throws: ConsulFailure.self) { try read(values(ForeignJSON.valuesMax)) }
        let levels = ForeignJSON.depthMax
        let deep = { (count: Int) in
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(try read(deep(levels + 1)).passedOver == 1)
        #expect(throws: ConsulFailure.self) { try read(deep(levels + 2)) }
    }

    @Test("keeps four times as many registrations as a node keeps sightings, and not one more")
    func isBounded() throws {
        let small = #"{"Node":{"Node":"n","Address":"a"},"Service":{"ID":"s","Port":1}}"#
        let most = 4 * Limits.sightings
        let listing = try read(
            "[" + Array(repeating: small, count: most + 1).joined(separator: ",") + "]")
        #expect(listing.entries.count == most)
        #expect(listing.passedOver == 1)
    }

    @Test("reads whatever Consul writes that nobody here asks for")
    func foreign() throws {
        let json = try ForeignJSON(
            Array(
                #" { "a" : [ null , true , -1.5e+3 , 0 , "\u00e9\ud83d\ude00\/" ] , "b" : { } } "#.utf8))
        #expect(
            json
                == .object([
                    "a": .array([.null, .boolean(true), .number(nil), .number(0), .text("é😀/")]),
                    "b": .object([:]),
                ]))
    }
}

@Suite("A request to Consul")
struct ConsulRequestTests {
    private func settings(
        _ required: [(String, String)] = [], datacenter: String? = nil
    ) -> ConsulSettings {
        var table = OrderedTable<String, String>()
        for (key, value) in required { table[key] = value }
        return ConsulSettings(
            endpoint: Endpoint(host: "::1", port: 8500), service: "comity", datacenter: datacenter,
            required: table
        ) { () throws(ConsulFailure) in "secret" }
    }

    @Test("asks for healthy ones, at once or waiting, in a datacenter, with the metadata that is required")
    func listing() {
        let atOnce = ConsulRequest.list(.init(index: 0, wait: .zero, patience: .seconds(1)))
        let waiting = ConsulRequest.list(.init(index: 7, wait: .seconds(30), patience: .seconds(1)))
        #expect(atOnce.target(settings()) == "/v1/health/service/comity?passing=1")
        #expect(
            waiting.target(settings(datacenter: "dc2"))
                == "/v1/health/service/comity?passing=1&index=7&wait=30s&dc=dc2")
        let filter = #"Service.Meta["a-b"] == "x\"y&" and Service.Meta["c"] == "\\""#
        let target = atOnce.target(settings([("c", #"\"#), ("a-b", #"x"y&"#)]))
        #expect(target.split(separator: "filter=").last?.removingPercentEncoding == filter)
        #expect(!target.contains("\"") && !target.contains(" "))
    }

    @Test("says in the registration where this node is and what it shows, and nothing else")
    func registering() throws {
        var metadata = OrderedTable<String, String>()
        metadata["v"] = "1"
        metadata["t"] = "AAAAAAAAAAA"
        let place = Endpoint(host: "192.0.2.1", port: 7410)
        let registration = ConsulRegistration(id: "comity-1", endpoint: place, metadata: metadata)
        let body = try #require(try ConsulRequest.register(registration).body(settings()))
        #expect(
            String(decoding: body, as: UTF8.self) == #"""
                {"Address":"192.0.2.1","Check":{"CheckID":"service:comity-1",\#
                "DeregisterCriticalServiceAfter":"60s","Name":"comity says that it lives",\#
                "Status":"passing",\#
                "TTL":"30s"},"ID":"comity-1","Meta":{"t":"AAAAAAAAAAA","v":"1"},"Name":"comity","Port":7410}
                """#)
    }

    @Test("never shows the token in its path")
    func tokenIsHidden() {
        let place = Endpoint(host: "", port: 1)
        let registration = ConsulRegistration(id: "x", endpoint: place, metadata: OrderedTable())
        let requests: [ConsulRequest] = [
            .list(.init(index: 1, wait: .seconds(1), patience: .seconds(1))), .register(registration),
            .pass(id: "x"), .deregister(id: "x"),
        ]
        for request in requests { #expect(!request.target(settings()).contains("secret")) }
    }
}
