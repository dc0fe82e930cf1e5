import MeshBase
import Testing

@testable import MeshGossip
@testable import MeshWire

@Suite("A page of places")
struct HeadPageTests {
    private let head = Head(
        owner: NodeID(Digest([UInt8](repeating: 1, count: 32))!),
        audience: .domain(DomainID(Digest([UInt8](repeating: 2, count: 32))!)), epoch: 0, givenUp: nil,
        sequence: 7, count: 0, root: .zero, issued: WallTime(milliseconds: 1),
        expires: WallTime(milliseconds: 2))

    @Test("a page has a hundred and twenty-eight places, and not one more")
    func bound() throws {
        for count in [HeadPage.most, HeadPage.most + 1] {
            let page = HeadPage(places: [HeadPlace](repeating: HeadPlace(head), count: count), span: nil)
            let bytes = try Document.encode(page)
            let read = try? Document.decode(HeadPage.self, from: bytes, limit: Limits.framePayload)
            #expect((read == page) == (count == HeadPage.most))
        }
    }

    @Test("a request asks for a hundred and twenty-eight heads, and not for one more")
    func request() throws {
        for count in [HeadPage.most, HeadPage.most + 1] {
            let wanted = [WantedHead](
                repeating: WantedHead(owner: head.owner, isProved: false), count: count)
            let request = HeadRequest(audience: AudienceTag(digest: .zero), wanted: wanted, after: nil)
            let bytes = try Document.encode(request)
            let read = try? Document.decode(HeadRequest.self, from: bytes, limit: Limits.framePayload)
            #expect((read == request) == (count == HeadPage.most))
        }
    }
}
