import MeshBase
import MeshNode
import Testing

@testable import MeshPolicy

@Suite("What a policy engine answers")
struct PolicyAnswerTests {
    private func read(_ text: String) -> ExternalAnswer { PolicyAnswer.read(Array(text.utf8)) }

    @Test("true is a yes, false a no; an object says it in `allow` and may say why")
    func decisions() {
        #expect(read(#"{"result":true,"decision_id":"d"}"#) == .allowed(decision: "d"))
        #expect(read(#"{"result":{"allow":true,"score":0.5}}"#) == .allowed(decision: nil))
        #expect(read(#"{"result":false}"#) == .denied(decision: nil, reasons: []))
        #expect(
            read(#"{"result":{"allow":false,"reasons":["after hours",3]}}"#)
                == .denied(decision: nil, reasons: ["after hours"]))
    }

    @Test("no result is undefined")
    func undefined() { #expect(read("{}") == .failed(.undefined)) }

    @Test(
        "whatever else is no decision",
        arguments: [
            "", "true", "[]", #"{"result":"true"}"#, #"{"result":1}"#, #"{"result":null}"#,
            #"{"result":[true]}"#, #"{"result":{}}"#, #"{"result":{"allow":"yes"}}"#,
            #"{"result":{"allow":null}}"#, #"{"result":true,"result":false}"#, #"{"result":true} {}"#,
        ])
    func malformed(text: String) {
        guard case .failed(.malformed) = read(text) else {
            Issue.record("\(text) is \(read(text))")
            return
        }
    }

    @Test("what it says is bounded, and holds nothing that a screen could be led astray by")
    func bounded() {
        let long = String(repeating: "ä", count: 500)
        let many = (0..<20).map { "\"r\($0)\"" }.joined(separator: ",")
        guard
            case .denied(let decision, let reasons) = read(
                #"{"decision_id":"\#(long)","result":{"allow":false,"reasons":["a\u202eb\u001bc",\#(many)]}}"#
            )
        else {
            Issue.record("no denial")
            return
        }
        #expect(decision?.utf8.count == 256)
        #expect(reasons.count == 8 && reasons[0] == "a b c")
    }
}
