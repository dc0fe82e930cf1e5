import MeshBase
import Testing

@testable import MeshRouting

@Suite("The body of a request")
struct RequestBodyTests {
    private let digest = Digest([UInt8](repeating: 7, count: 32))!

    @Test("the audit keeps the digest of four kibibytes and of not a byte more")
    func digested() {
        #expect(RequestBody.whole(length: 4_096, digest: digest).auditedDigest == digest)
        #expect(RequestBody.whole(length: 4_097, digest: digest).auditedDigest == nil)
        #expect(RequestBody.none.auditedDigest == nil)
        #expect(RequestBody.streamed(length: 3).auditedDigest == nil)
    }

    @Test("says how long it is as far as that is known before it passes")
    func lengths() {
        #expect(RequestBody.none.length == 0)
        #expect(RequestBody.whole(length: 9, digest: digest).length == 9)
        #expect(RequestBody.streamed(length: 9).length == 9)
        #expect(RequestBody.streamed(length: nil).length == nil)
    }
}

@Suite("The length of an answer")
struct AnswerLengthFieldTests {
    private func passing(_ values: String...) -> [HeaderField] {
        HeaderFilter.passing(answer: values.map { HeaderField("content-length", $0) })
    }

    @Test("passes where there is one and it is plain, and nowhere else")
    func passes() {
        #expect(passing("12") == [HeaderField("content-length", "12")])
        for other in [["+12"], ["-1"], ["1x"], [""], ["1", "1"], ["1", "2"], ["99999999999999999999"]] {
            #expect(
                HeaderFilter.passing(answer: other.map { HeaderField("content-length", $0) }).isEmpty)
        }
        // Of a request the framing is made anew.
        #expect(HeaderFilter.passing([HeaderField("content-length", "12")]).isEmpty)
    }
}
