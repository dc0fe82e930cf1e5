import Foundation
import MeshBase
import Testing

@testable import MeshWire

@Suite("Invites as a line")
struct InviteLineTests {
    private let invite = Invite(
        inviter: NodeID(.zero), endpoints: [Endpoint(host: "192.0.2.1", port: 7401)],
        secret: Octets([UInt8](repeating: 9, count: 16)), expires: WallTime(milliseconds: 1_800_000_000_000))

    @Test("a line gives back the invite it was made of")
    func roundTrip() throws {
        var samples = Samples(seed: 9)
        for _ in 0..<500 {
            let invite = samples.invite()
            let line = try InviteLine.encode(invite)
            #expect(try InviteLine.decode(line) == invite)
            #expect(line.utf8.count <= Limits.inviteLine)
        }
    }

    @Test("with one address it takes 94 characters, all of which select as one word")
    func isShort() throws {
        let line = try InviteLine.encode(invite)
        #expect(line.utf8.count == 94)
        #expect(line.hasPrefix("comity1_"))
        #expect(line.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    }

    @Test("its secret stays out of whatever prints it")
    func hidesItsSecret() {
        #expect("\(invite)" == "invite of \(invite.inviter)")
        #expect(String(reflecting: [invite]) == "[invite of \(invite.inviter)]")
    }

    @Test("every slip in copying is named as one: a letter changed, swapped, lost or doubled")
    func namesSlips() throws {
        let line = Array(try InviteLine.encode(invite))
        func slip(_ characters: [Character]) {
            guard characters != line else { return }
            #expect(throws: WireError.mistyped) { try InviteLine.decode(String(characters)) }
        }
        for place in 8..<line.count {
            for other in "Ab0_-" where other != line[place] {
                var changed = line
                changed[place] = other
                slip(changed)
            }
            var changed = line
            changed.remove(at: place)
            slip(changed)
            slip(Array(line[..<place] + [line[place]] + line[place...]))
            if place + 1 < line.count {
                slip(Array(line[..<place] + [line[place + 1], line[place]] + line[(place + 2)...]))
            }
            slip(Array(line[..<place]))
        }
        slip(line + ["="])
    }

    @Test("another text is no invite, and a later version's is named as such")
    func namesOthers() {
        for text in ["", "comity", "comity1", "hello", "Comity1_AAAA", " comity1_AAAA", "comity99999_"] {
            #expect(throws: WireError.notAnInvite) { try InviteLine.decode(text) }
        }
        #expect(throws: WireError.versionUnknown(2)) { try InviteLine.decode("comity2_AAAA") }
        #expect(throws: WireError.mistyped) { try InviteLine.decode("comity1_") }
        #expect(throws: WireError.tooLong(bytes: 251, limit: 250)) {
            try InviteLine.decode(String(repeating: "a", count: 251))
        }
    }

    @Test("an invite that no line can carry is refused by whoever writes it")
    func refusesInvites() {
        func refused(_ endpoints: [Endpoint], secret: Int = 16, expires: Int64 = 1) -> Bool {
            let secret = Octets([UInt8](repeating: 1, count: secret))
            let invite = Invite(
                inviter: NodeID(.zero), endpoints: endpoints, secret: secret,
                expires: WallTime(milliseconds: expires))
            do {
                _ = try InviteLine.encode(invite)
                return false
            } catch {
                return true
            }
        }
        let endpoint = Endpoint(host: "192.0.2.1", port: 1)
        #expect(!refused([]) && !refused([endpoint, endpoint, endpoint, endpoint]))
        #expect(refused([endpoint, endpoint, endpoint, endpoint, endpoint]))
        #expect(refused([Endpoint(host: "192.0.2.1", port: 0)]))
        #expect(refused([Endpoint(host: "a b", port: 1)]))
        #expect(refused([Endpoint(host: String(repeating: "a", count: 200), port: 1)]))
        #expect(refused([], secret: 15) && refused([], expires: -1) && refused([], expires: 1 << 42))
    }

    @Test("addresses are written and read as the system does it")
    func addressesAgreeWithTheSystem() throws {
        var mutation = Mutation(seed: 10)
        for _ in 0..<5000 {
            // Many zeros, so that runs of them are tried; no embedded IPv4, which RFC 5952 leaves to taste.
            var bytes = mutation.bytes(16).map { $0 & 3 == 0 ? $0 : 0 }
            if bytes.prefix(10).allSatisfy({ $0 == 0 }) { bytes[mutation.below(8)] = 1 }
            var text = [CChar](repeating: 0, count: 64)
            inet_ntop(AF_INET6, bytes, &text, 64)
            let expected = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(AddressText.text(sixteen: bytes) == expected)
            #expect(AddressText.sixteenBytes(expected) == bytes)
            let damaged = String(decoding: mutation.damaged(Array(expected.utf8)), as: UTF8.self)
            if let ours = AddressText.sixteenBytes(damaged) {
                var theirs = [UInt8](repeating: 0, count: 16)
                #expect(inet_pton(AF_INET6, damaged, &theirs) == 1 && theirs == ours, "\(damaged)")
            }
        }
        for text in ["1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.+4", "1..3.4", ""] {
            #expect(AddressText.fourBytes(text) == nil)
        }
        for text in [
            "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "FE80::1", "00::1",
            "0:0:0:0:0:0:0:1", "::1%lo",
        ] {
            #expect(AddressText.sixteenBytes(text) == nil)
        }
        #expect(AddressText.fourBytes("192.0.2.255") == [192, 0, 2, 255])
        #expect(AddressText.text(sixteen: [UInt8](repeating: 0, count: 16)) == "::")
    }

    @Test("the checksum is the one that everybody calls CRC-32")
    func checksum() { #expect(Checksum.crc32(Array("123456789".utf8)) == 0xcbf4_3926) }
}
