import MeshBase
import NIOCore

@testable import MeshControl

/// Bodies of the control API; the first byte says of which operation.
extension FuzzTargets {
    static let control = [
        FuzzTarget(
            "control-body",
            samples: {
                try [
                    sample(0, CreateInvite.Request(expiresSeconds: 60, ask: true)),
                    sample(1, ShowPeer.Request(peer: "alpha")),
                    sample(2, Explain.Request(subject: .peer("alpha"))),
                    sample(
                        3,
                        AddResource.Request(
                            name: .echo, url: "http://127.0.0.1:1/",
                            capabilities: [
                                Capability(name: .echo, methods: ["GET"], path: "/", safety: .safe)
                            ],
                            labels: [ResourceLabel(key: .echo, value: "é")], offerTo: ["beta"],
                            offerSeconds: 60, timeoutMilliseconds: nil)),
                ]
            },
            read: { bytes in
                guard let kind = bytes.first else { return .refused }
                let body = ByteBuffer(bytes: bytes.dropFirst())
                let isTaken =
                    switch kind % 4 {
                    case 0: try isTaken(CreateInvite.Request.self, body)
                    case 1: try isTaken(ShowPeer.Request.self, body)
                    case 2: try isTaken(Explain.Request.self, body)
                    default: try isTaken(AddResource.Request.self, body)
                    }
                return isTaken ? .taken : .refused
            })
    ]

    private static func sample(_ kind: UInt8, _ request: some Encodable) throws -> [UInt8] {
        [kind] + Array(try ControlCoding.encode(request).readableBytesView)
    }

    private static func isTaken<Request: Codable & Equatable>(
        _ type: Request.Type, _ body: ByteBuffer
    ) throws -> Bool {
        let request: Request
        do throws(ControlFailure) {
            request = try ControlCoding.decode(type, from: body)
        } catch {
            try hold(error.kind == .usage, "the client's mistake is told as \(error.kind)")
            return false
        }
        let again = try ControlCoding.decode(type, from: try ControlCoding.encode(request))
        try hold(again == request, "sent again it is another \(type)")
        return true
    }
}
