import Foundation
import MeshBase
import NIOCore
import Testing

@testable import MeshGateway

@Suite("The answer to a request to all providers")
struct FanOutBodyTests {
    @Test("is an array with one object for each, whatever the bodies hold")
    func shape() throws {
        let node = NodeID(Digest.zero)
        let correlation = try #require(CorrelationID("01938f7e-0000-7000-8000-000000000001"))
        let parts = [
            FanOutPart(
                node: node, name: "a", correlation: correlation,
                outcome: .answered(status: 200, .json(ByteBuffer(string: #"{"price":3}"#)))),
            FanOutPart(
                node: node, name: "b", correlation: nil,
                outcome: .answered(status: 503, .text("no \"stock\"\n\u{1}", type: "text/plain"))),
            FanOutPart(
                node: node, name: "c", correlation: nil,
                outcome: .answered(status: 200, .bytes(ByteBuffer(bytes: [0xff, 0]), type: nil))),
            FanOutPart(node: node, name: "d", correlation: nil, outcome: .answered(status: 204, .none)),
            FanOutPart(
                node: node, name: "e", correlation: correlation,
                outcome: .refused([Refusal(.agreementMissing, [Fact("peer", "e")])], begun: nil)),
            FanOutPart(
                node: node, name: "f", correlation: nil,
                outcome: .refused([Refusal(.deadlineExceeded)], begun: 201)),
        ]
        var buffer = ByteBuffer()
        FanOutBody.write(parts, into: &buffer)
        let read = try JSONSerialization.jsonObject(with: Data(buffer.readableBytesView))
        let array = try #require(read as? [[String: Any]])
        #expect(array.map { $0["name"] as? String } == ["a", "b", "c", "d", "e", "f"])
        #expect(array.allSatisfy { $0["node"] as? String == node.description })
        #expect(array[0]["correlation"] as? String == correlation.description)
        #expect((array[0]["body"] as? [String: Int]) == ["price": 3])
        #expect(array[1]["correlation"] is NSNull && array[1]["status"] as? Int == 503)
        #expect(array[1]["text"] as? String == "no \"stock\"\n\u{1}")
        #expect(array[1]["type"] as? String == "text/plain" && array[1]["body"] == nil)
        #expect(array[2]["base64"] as? String == "/wA=" && array[2]["type"] == nil)
        #expect(Set(array[3].keys) == ["node", "name", "correlation", "status"])
        let refused = try #require(array[4]["refused"] as? [String: Any])
        #expect(refused["code"] as? String == "agreement-missing" && array[4]["status"] == nil)
        #expect(refused["correlation"] as? String == correlation.description)
        #expect(array[5]["status"] as? Int == 201 && array[5]["refused"] != nil)
    }
}
