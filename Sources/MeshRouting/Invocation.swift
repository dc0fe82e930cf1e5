import MeshBase

/// The head of an invocation as it crosses a link: who asks for what, under which agreement, within which
/// time.
///
/// The provider believes none of it without checking: the caller is the link's peer, whatever stands here.
public struct Invocation: Equatable, Sendable {
    /// Minted once by the originator.
    public var correlation: CorrelationID
    /// Counts from 1; a repetition of the same call carries the same correlation id and the next number.
    public var attempt: UInt8
    /// W3C trace context, `00-…`; nil when the application sent none.
    public var traceparent: String?
    /// The agreement that the consumer decided under; the provider decides for itself and compares.
    public var agreement: Digest?
    /// Who asks, at the consumer.
    public var principal: Principal
    /// What it is for, in the consumer's word; nil: it does not say.
    public var purpose: Purpose?
    /// The provider's resource.
    public var resource: ResourceName
    /// The capability that the consumer matched.
    public var capability: ResourceName
    /// An HTTP method in upper case.
    public var method: String
    /// The path beneath the resource's URL, normalised, beginning with `/`.
    public var path: String
    /// What followed `?`, without it; nil when there was none.
    public var query: String?
    /// The application's headers, without hop-by-hop ones and without `Comity-…`, names in lower case.
    public var headers: [HeaderField]
    /// What is left of the call's time, in milliseconds, when it was sent: relative, so that skew does not
    /// matter.
    public var remainingMilliseconds: UInt32
    /// At most `Limits.idempotencyKey` bytes; nil when the application gave none.
    public var idempotencyKey: String?
    /// What `remainingMilliseconds` bounds.
    public var deadlineScope: DeadlineScope
    /// With resource, capability, method, path and query it tells whether a repeated correlation id or
    /// idempotency key comes with the same request.
    public var body: RequestBody
    /// To which key of the provider all of it is sealed that concerns the provider alone (Docs/Protocol.md,
    /// Sealed payloads); nil: to none, it crosses as it is.
    public var sealedTo: EncryptionKey?
}

extension Invocation {
    /// Beside the type and not in it: so all properties are handed over at once. One that sets them one by
    /// one ends with a copy of the whole.
    public init(
        correlation: CorrelationID, attempt: UInt8, traceparent: String?, agreement: Digest?,
        principal: Principal, purpose: Purpose? = nil,
        resource: ResourceName, capability: ResourceName, method: String, path: String, query: String?,
        headers: [HeaderField], remainingMilliseconds: UInt32, deadlineScope: DeadlineScope = .wholeCall,
        idempotencyKey: String?, body: RequestBody, sealedTo: EncryptionKey? = nil
    ) {
        self.init(
            correlation: correlation, attempt: attempt, traceparent: traceparent, agreement: agreement,
            principal: principal, purpose: purpose, resource: resource, capability: capability,
            method: method, path: path, query: query, headers: headers,
            remainingMilliseconds: remainingMilliseconds, idempotencyKey: idempotencyKey,
            deadlineScope: deadlineScope, body: body, sealedTo: sealedTo)
    }

    /// What makes a repeated correlation id or idempotency key the same request.
    public var identity: RequestIdentity {
        RequestIdentity(
            resource: resource, capability: capability, method: method, path: path, query: query,
            body: body)
    }
}

/// What was asked, apart from who, when and how often.
public struct RequestIdentity: Hashable, Sendable {
    /// The provider's resource.
    public let resource: ResourceName
    /// What of it.
    public let capability: ResourceName
    /// In upper case.
    public let method: String
    /// In its normal form.
    public let path: String
    /// Without `?`; nil when there was none.
    public let query: String?
    /// How long it is, and its SHA-256 where it was at hand whole.
    public let body: RequestBody

    public init(
        resource: ResourceName, capability: ResourceName, method: String, path: String, query: String?,
        body: RequestBody
    ) {
        self.resource = resource
        self.capability = capability
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

/// One HTTP header field. The name is in lower case; neither part holds CR, LF or NUL.
public struct HeaderField: Equatable, Hashable, Sendable {
    /// In lower case.
    public var name: String
    /// Without white space around it.
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The head of what a provider answers on the same stream.
public enum InvocationAnswer: Equatable, Sendable {
    /// The resource answered: its status (200 ... 599) and headers; the body follows.
    case answered(status: UInt16, headers: [HeaderField])
    /// The provider refused, with every reason; no body follows.
    case refused([Refusal], effect: PossibleEffect)
}

/// Whether a request that failed may have had its effect: decides whether it may go elsewhere.
public enum PossibleEffect: UInt8, Equatable, Sendable, Codable {
    /// Certainly none: it never reached the resource.
    case none = 0
    /// Perhaps.
    case possible = 1
}
