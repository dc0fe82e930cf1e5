import Foundation
import MeshBase
import MeshWire
import NIOCore
import Synchronization
import Testing

@testable import MeshLink

@Suite(.enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program to make certificates"), .serialized)
struct LinkHandshakeTests {
    @Test(arguments: ["127.0.0.1", "::1"]) func `reports the facts of a connection on both sides`(
        host: String
    ) async throws {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: host, port: 0))
        #expect(endpoint.port != 0)
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        let (here, there) = (try await alice.secured(), try await bob.secured())
        #expect(here.id == ConnectionID(1))
        #expect(here.role == .dialler && there.role == .listener)
        #expect(here.remote == endpoint && there.remote.host == host && there.local == endpoint)
        #expect(here.local == there.remote)
        #expect(here.protocol == .peer && there.protocol == .peer)
        #expect(
            here.peerCertificate == Fixtures.bob.certificate
                && here.ownCertificate == Fixtures.alice.certificate)
        #expect(
            there.peerCertificate == Fixtures.alice.certificate
                && there.ownCertificate == Fixtures.bob.certificate)
        alice.transport.close(here.id, "enough")
        #expect(try await alice.closed(here.id) == .ordered("enough"))
        #expect(try await bob.closed(there.id) == .closedByPeer)
    }

    @Test func `listens for both families on an address for both, and names IPv4 as such`() async throws {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "::", port: 0))
        alice.transport.dial(
            Endpoint(host: "127.0.0.1", port: endpoint.port), as: ConnectionID(1), for: .peer)
        #expect(try await bob.secured().remote.host == "127.0.0.1")
        await bob.transport.drain(within: .zero)
    }

    @Test(.enabled(if: linkLocalAddress != nil, "no interface here has a link-local address"))
    func `dials a link-local address with its scope`() async throws {
        let host = try #require(linkLocalAddress)
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: host, port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        #expect(try await alice.secured().remote == endpoint)
        #expect(try await bob.secured().remote.host == host)
        await bob.transport.drain(within: .zero)
    }

    /// Two that have a connection, over which the dialler's first message of the handshake has come.
    private static func begun() async throws -> (TestNode, ConnectionID, TestNode, ConnectionID) {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        let (here, there) = (try await alice.secured().id, try await bob.secured().id)
        alice.transport.sendHandshake([1], on: here)
        try await bob.expectMessage([1])
        return (alice, here, bob, there)
    }

    @Test
    func `carries the messages of a handshake in turn, and lets nothing behind the last one pass for one`()
        async throws
    {
        let (alice, here, bob, there) = try await Self.begun()
        bob.transport.sendHandshake([2], on: there)
        try await alice.expectMessage([2])
        alice.transport.sendHandshake([3], on: here)
        try await bob.expectMessage([3])
        bob.transport.sendHandshake([4], on: there)
        bob.transport.admit(there)
        bob.transport.sendDocument(Array(repeating: 5, count: 50_000), on: there)
        bob.transport.sendPing(Array("now".utf8), on: there)
        try await alice.expectMessage([4])
        alice.transport.admit(here)
        let document = try await alice.first { _, event in
            if case .document(let bytes) = event { bytes } else { nil }
        }
        #expect(document == Array(repeating: 5, count: 50_000))
        let pong = try await bob.first { _, event in
            if case .pong(let payload, let roundTrip) = event { (payload, roundTrip) } else { nil }
        }
        #expect(pong.0 == Array("now".utf8) && pong.1 > .zero)
        _ = try await bob.first { _, event in event == .heard ? true : nil }
        await bob.transport.drain(within: .zero)
    }

    @Test func `keeps what comes behind the last message of the handshake until it is admitted`() async throws
    {
        let (alice, here, bob, there) = try await Self.begun()
        bob.transport.finishHandshake([2], on: there)
        try await alice.expectMessage([2])
        alice.transport.admit(here)
        alice.transport.sendPing(Array("early".utf8), on: here)
        alice.transport.sendDocument([3], on: here)
        // However long the other end takes to say so.
        try await Task.sleep(for: .milliseconds(200))
        bob.transport.admit(there)
        let document = try await bob.first { _, event in
            if case .document(let bytes) = event { bytes } else { nil }
        }
        #expect(document == [3])
        let pong = try await alice.first { _, event in
            if case .pong(let payload, _) = event { payload } else { nil }
        }
        #expect(pong == Array("early".utf8))
        await bob.transport.drain(within: .zero)
    }

    @Test func `reports that no certificate was shown, and never admits such a connection`() async throws {
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        async let client = stranger(endpoint, ["-alpn", "comity/1"], patience: 5)
        let facts = try await bob.secured()
        #expect(facts.peerCertificate == nil)
        bob.transport.admit(facts.id)
        #expect(
            try await bob.closed(facts.id)
                == .refused(Refusal(.certificateMissing, [Fact("certificates", 0)])))
        _ = await client
    }

    @Test func `gives a resumed session no identity, and forgets the tickets when its contexts are renewed`()
        async throws
    {
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let session = Fixtures.alice.folder.appending(path: "session.pem").path
        let identity = [
            "-alpn", "comity/1", "-cert", Fixtures.alice.certificatePath, "-key", Fixtures.alice.keyPath,
        ]
        async let client = stranger(endpoint, identity + ["-sess_out", session], patience: 1)
        let first = try await bob.secured()
        // BoringSSL lets the tickets go with the first bytes that the server writes.
        bob.transport.sendHandshake([0], on: first.id)
        _ = await client
        #expect(first.peerCertificate == Fixtures.alice.certificate)
        let resumed = await stranger(endpoint, identity + ["-sess_in", session], patience: 0.5)
        #expect(
            resumed.contains("Reused, TLSv1.3"), "the session was not resumed, so this test shows nothing")
        let second = try await bob.secured(not: [first.id])
        #expect(second.peerCertificate == nil)
        try bob.transport.renew()
        let afresh = await stranger(endpoint, identity + ["-sess_in", session], patience: 0.5)
        #expect(afresh.contains("New, TLSv1.3"))
        #expect(
            try await bob.secured(not: [first.id, second.id]).peerCertificate == Fixtures.alice.certificate)
    }

    @Test func `shows a renewed certificate on new connections and keeps the old one on those that exist`()
        async throws
    {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .peer)
        let first = try await bob.secured()
        let renewed = TestCertificate("bob again")
        try bob.transport.renew(renewed.credentials)
        alice.transport.dial(endpoint, as: ConnectionID(2), for: .peer)
        let second = try await bob.secured(not: [first.id])
        #expect(
            first.ownCertificate == Fixtures.bob.certificate && second.ownCertificate == renewed.certificate)
        #expect(try await alice.secured(not: [ConnectionID(1)]).peerCertificate == renewed.certificate)
        await bob.transport.drain(within: .zero)
    }

    @Test func `speaks TLS 1_3 and its own protocols only`() async throws {
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        _ = await stranger(endpoint, ["-alpn", "comity/1", "-tls1_2"])
        guard case .tlsFailed = try await bob.firstTurnedAway() else {
            Issue.record("TLS 1.2 was not refused")
            return
        }
        _ = await stranger(endpoint, ["-alpn", "h2"], patience: 0.5)
        _ = await stranger(endpoint, [], patience: 0.5)
        try await eventually("not all were turned away") {
            bob.records.withLock { $0.turnedAway.count { $0 == .protocolUnknown } } == 2 ? () : nil
        }
        #expect(bob.transport.counts.secured == 0)
    }

    @Test func `pairs only while the door is open, five times a minute from one address`() async throws {
        let (alice, bob) = (try TestNode(Fixtures.alice), try TestNode(Fixtures.bob))
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        alice.transport.dial(endpoint, as: ConnectionID(1), for: .pairing)
        _ = try await alice.closed(ConnectionID(1))
        #expect(try await bob.firstTurnedAway() == .protocolUnknown)
        try bob.transport.setPairing(.open)
        for number in 2...6 {
            alice.transport.dial(endpoint, as: ConnectionID(UInt64(number)), for: .pairing)
            let id = try await alice.secured(not: (2..<number).map { ConnectionID(UInt64($0)) }).id
            alice.transport.close(id, "next")
        }
        alice.transport.dial(endpoint, as: ConnectionID(7), for: .pairing)
        try await eventually("the sixth was not refused") {
            bob.records.withLock { records in
                records.turnedAway.contains {
                    if case .refused(let refusal) = $0 { refusal.code == .pairingLimit } else { false }
                }
            } ? () : nil
        }
        #expect(bob.transport.counts.secured == 5)
    }

    @Test func `says why a dial came to nothing`() async throws {
        let alice = try TestNode(Fixtures.alice, times: LinkTimes(connect: .milliseconds(300)))
        alice.transport.dial(Endpoint(host: "127.0.0.1", port: 1), as: ConnectionID(1), for: .peer)
        guard case .unreachable = try await alice.closed(ConnectionID(1)) else {
            Issue.record("not unreachable")
            return
        }
        alice.transport.dial(Endpoint(host: "no-such-host.invalid", port: 1), as: ConnectionID(2), for: .peer)
        guard case .unreachable = try await alice.closed(ConnectionID(2)) else {
            Issue.record("not unreachable")
            return
        }
    }

    @Test func `names the address that it cannot listen on`() async throws {
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let other = try TestNode(Fixtures.alice)
        await #expect { try await other.transport.listen(on: endpoint) } throws: { error in
            if case .cannotListen(let refused, _)? = error as? LinkError {
                refused == endpoint
            } else {
                false
            }
        }
    }

    @Test func `refuses credentials that are none, and keeps those it has`() throws {
        let bob = try TestNode(Fixtures.bob)
        #expect(throws: LinkError.self) {
            try bob.transport.renew(LinkCredentials(certificate: [1], privateKey: [2]))
        }
        #expect(throws: LinkError.self) {
            try bob.transport.renew(
                LinkCredentials(
                    certificate: Fixtures.alice.certificate, privateKey: Fixtures.bob.credentials.privateKey))
        }
        try bob.transport.renew()
    }
}

/// Connects with `openssl s_client` and answers what it printed.
func stranger(_ endpoint: Endpoint, _ arguments: [String], input: [UInt8] = [], patience: Double = 0) async
    -> String
{
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            let all = ["s_client", "-connect", endpoint.description] + arguments
            continuation.resume(returning: run(all, input: input, patience: patience))
        }
    }
}

private let linkLocalAddress: String? = {
    do {
        return try System.enumerateDevices().lazy.compactMap { device -> String? in
            guard let address = device.address?.ipAddress, address.hasPrefix("fe80:") else { return nil }
            return "\(address.prefix { $0 != "%" })%\(device.name)"
        }.first
    } catch {
        return nil
    }
}()

extension TestNode {
    func expectMessage(_ expected: [UInt8]) async throws {
        _ = try await first { _, event in event == .handshakeMessage(expected) ? true : nil }
    }
}
