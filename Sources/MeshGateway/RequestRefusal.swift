import MeshBase

/// What becomes of the connection after the gateway itself refused a request.
enum AfterRefusal: Equatable {
    /// The request's end is certain: the next one is read.
    case goOn
    /// Where the request ends is in doubt, or nobody should wait for it.
    case close
}

/// The gateway's own refusal of a request, before anybody decides about the call.
struct RequestRefusal: Error, Equatable {
    let refusal: Refusal
    let status: Int
    let after: AfterRefusal

    /// - Parameter status: nil takes the one of `HTTPStatusTable`.
    init(_ code: RefusalCode, _ facts: [Fact] = [], status: Int? = nil, then after: AfterRefusal = .goOn) {
        refusal = Refusal(code, facts)
        self.status = status ?? HTTPStatusTable.status(for: code)
        self.after = after
    }
}
