import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK

@testable import MeshGateway

/// The heads of gRPC's calls, a field a line.
extension FuzzTargets {
    private static let grpcGate = RequestGate(transport: .port, access: .open, port: 7_411)

    static let grpcHead = FuzzTarget(
        "grpc-head",
        samples: {
            let common = ":method=POST\n:scheme=http\ncontent-type=application/grpc\nte=trailers\n"
            return [
                ":path=/shop.Orders/Get\n:authority=orders.A.mesh:7411\ngrpc-timeout=5S",
                ":path=/a/b%20c\n:authority=localhost\ncomity-target=my.node/my.orders\nx-bin=AAE=\nx=1\nx=2",
                ":path=/a/b\n:authority=o.any.mesh\ncomity-deadline=2s\ngrpc-timeout=99H\ncomity-caller=me",
            ].map { Array((common + $0).utf8) }
        },
        read: { bytes in
            let request: GatewayRequest
            do throws(RequestRefusal) {
                request = try admit(fields(of: bytes))
            } catch {
                return .refused
            }
            guard case .mesh("POST", let path, nil) = request.form else { throw Breach("\(request.form)") }
            try hold(
                RequestPath.normalised(path) == .allowed(path), "the path \(path) has another normal form")
            try hold(
                ResourceName(request.resource) != nil && NodeName(request.peer) != nil, "names \(request)")
            if let deadline = request.deadline {
                try hold(deadline > .zero && deadline <= Limits.callDeadlineMax, "a deadline of \(deadline)")
            }
            var again: HPACKHeaders = [
                ":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost",
                "comity-target": "\(request.peer)/\(request.resource)",
            ]
            for field in request.headers {
                try hold(
                    FieldRules.isToken(field.name) && FieldRules.isValue(field.value)
                        && !FieldRules.isHopByHop(field.name) && !FieldRules.isReserved(field.name),
                    "passes \(field)")
                again.add(name: field.name, value: field.value)
            }
            if let trace = request.traceparent { again.add(name: "traceparent", value: trace) }
            let second = try admit(again)
            try hold(
                second.form == request.form && second.headers == request.headers
                    && second.peer == request.peer && second.resource == request.resource,
                "written again it is another")
            return .taken
        })

    private static func admit(_ head: HPACKHeaders) throws(RequestRefusal) -> GatewayRequest {
        try grpcGate.admit(head, id: GatewayRequestID(connection: 1, sequence: 1), at: .now())
    }

    private static func fields(of bytes: [UInt8]) -> HPACKHeaders {
        HPACKHeaders(
            bytes.split(separator: UInt8(ascii: "\n")).map { line in
                let parts = line.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                return (
                    String(decoding: parts[0], as: UTF8.self),
                    String(decoding: parts.dropFirst().first ?? [], as: UTF8.self)
                )
            })
    }
}
