import MeshBase
import Testing

@testable import MeshGateway

@Suite("What a refusal says about when to come again")
struct RetryAfterTests {
    private func seconds(_ value: String, _ code: RefusalCode = .rateExceeded) -> Int64? {
        GatewayConnection.retryAfter([Refusal(code, [Fact("free again in ms", value)])])
    }

    @Test("whole seconds, rounded up")
    func rounded() {
        #expect(seconds("1") == 1 && seconds("1000") == 1 && seconds("1001", .quotaExhausted) == 2)
        #expect(seconds("100", .overloaded) == 1 && seconds("3001", .tooManyCalls) == 4)
    }

    @Test(
        "what no limit can make is not repeated, for a peer chose it",
        arguments: ["9223372036854775807", "9223372036854775808", "-1", "0", "2678400001", "", "1e3", " 1"])
    func hostile(value: String) { #expect(seconds(value) == nil) }

    @Test("a refusal for another reason says nothing of it")
    func others() {
        #expect(seconds("1000", .agreementEnded) == nil && GatewayConnection.retryAfter([]) == nil)
    }
}
