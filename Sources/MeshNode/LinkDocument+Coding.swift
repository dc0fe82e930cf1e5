import MeshBase
import MeshGossip
import MeshTrust

/// On the wire: `{"body": ..., "kind": "..."}`. The kind is known before the body is looked at.
extension LinkDocument: Codable {
    private enum CodingKeys: String, CodingKey { case kind, body }

    private enum Kind: String, Codable {
        case beliefs
        case hello, answer, finish, accept, referral, deny
        case commitment, nonce, opening, ready
        case credential, renewal, domains
        case renewalRequest = "renewal-request"
        case renewalRefusal = "renewal-refusal"
        case papers, partnerships, bundle
        case bundleRequest = "bundle-request"
        case bundleAnswer = "bundle-answer"
        case bundleRefusal = "bundle-refusal"
        case notice, listening, need, goodbye, agreement
        case domainAgreement = "domain-agreement"
        case head, want, records, list, places, contradiction, heads
        case headsWanted = "heads-wanted"
        case symbolsWanted = "symbols-wanted"
        case symbols
        case elementsWanted = "elements-wanted"
        case reachRequest = "reach-request"
        case reachAnswer = "reach-answer"
        case traceRequest = "trace-request"
        case traceAnswer = "trace-answer"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func body<Body: Decodable>() throws -> Body { try container.decode(Body.self, forKey: .body) }
        switch try container.decode(Kind.self, forKey: .kind) {
        case .beliefs: self = .beliefs(try body())
        case .hello: self = .handshake(.hello(try body()))
        case .answer: self = .handshake(.answer(try body()))
        case .finish: self = .handshake(.finish(try body()))
        case .accept: self = .handshake(.accept(try body()))
        case .deny: self = .handshake(.deny(try body()))
        case .commitment: self = .handshake(.words(.commitment(try body())))
        case .nonce: self = .handshake(.words(.nonce(try body())))
        case .opening: self = .handshake(.words(.opening(try body())))
        case .ready: self = .handshake(.words(.ready(try body())))
        case .referral: self = .handshake(.referral(try body()))
        case .credential: self = .domain(.shown(try body()))
        case .domains: self = .domain(.named(try body()))
        case .renewalRequest: self = .domain(.renewalWanted(try body()))
        case .renewal: self = .domain(.renewed(try body()))
        case .renewalRefusal: self = .domain(.notRenewed(try body()))
        case .papers: self = .domain(.papersHeld(try body()))
        case .partnerships: self = .domain(.paper(.partnerships(try body())))
        case .bundle: self = .domain(.paper(.bundle(try body())))
        case .bundleRequest:
            let _: EmptyBody = try body()
            self = .domain(.bundleWanted)
        case .bundleAnswer: self = .domain(.bundleGiven(try body()))
        case .bundleRefusal: self = .domain(.bundleWithheld(try body()))
        case .notice: self = .trust(try body())
        case .listening: self = .listening(try body())
        case .need: self = .need(try body())
        case .goodbye: self = .goodbye(try body())
        case .agreement: self = .agreement(try body())
        case .domainAgreement: self = .domainAgreement(try body())
        case .head: self = .gossip(.head(try body()))
        case .want: self = .gossip(.want(try body()))
        case .records: self = .gossip(.records(try body()))
        case .list: self = .gossip(.list(try body()))
        case .places: self = .gossip(.places(try body()))
        case .headsWanted: self = .gossip(.ask(try body()))
        case .symbolsWanted: self = .gossip(.symbolsWanted(try body()))
        case .symbols: self = .gossip(.symbols(try body()))
        case .elementsWanted: self = .gossip(.elementsWanted(try body()))
        case .contradiction: self = .gossip(.contradiction(try body()))
        case .heads: self = .relay(try body())
        case .reachRequest: self = .reachRequest(try body())
        case .reachAnswer: self = .reachAnswer(try body())
        case .traceRequest: self = .traceRequest(try body())
        case .traceAnswer: self = .traceAnswer(try body())
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        func write(_ kind: Kind, _ body: some Encodable) throws {
            try container.encode(kind, forKey: .kind)
            try container.encode(body, forKey: .body)
        }
        switch self {
        case .beliefs(let body): try write(.beliefs, body)
        case .handshake(.hello(let body)): try write(.hello, body)
        case .handshake(.answer(let body)): try write(.answer, body)
        case .handshake(.finish(let body)): try write(.finish, body)
        case .handshake(.accept(let body)): try write(.accept, body)
        case .handshake(.deny(let body)): try write(.deny, body)
        case .handshake(.words(.commitment(let body))): try write(.commitment, body)
        case .handshake(.words(.nonce(let body))): try write(.nonce, body)
        case .handshake(.words(.opening(let body))): try write(.opening, body)
        case .handshake(.words(.ready(let body))): try write(.ready, body)
        case .handshake(.referral(let body)): try write(.referral, body)
        case .domain(.shown(let body)): try write(.credential, body)
        case .domain(.named(let body)): try write(.domains, body)
        case .domain(.renewalWanted(let body)): try write(.renewalRequest, body)
        case .domain(.renewed(let body)): try write(.renewal, body)
        case .domain(.notRenewed(let body)): try write(.renewalRefusal, body)
        case .domain(.papersHeld(let body)): try write(.papers, body)
        case .domain(.paper(.partnerships(let body))): try write(.partnerships, body)
        case .domain(.paper(.bundle(let body))): try write(.bundle, body)
        case .domain(.bundleWanted): try write(.bundleRequest, EmptyBody())
        case .domain(.bundleGiven(let body)): try write(.bundleAnswer, body)
        case .domain(.bundleWithheld(let body)): try write(.bundleRefusal, body)
        case .trust(let body): try write(.notice, body)
        case .listening(let body): try write(.listening, body)
        case .need(let body): try write(.need, body)
        case .goodbye(let body): try write(.goodbye, body)
        case .agreement(let body): try write(.agreement, body)
        case .domainAgreement(let body): try write(.domainAgreement, body)
        case .gossip(.head(let body)): try write(.head, body)
        case .gossip(.want(let body)): try write(.want, body)
        case .gossip(.records(let body)): try write(.records, body)
        case .gossip(.list(let body)): try write(.list, body)
        case .gossip(.places(let body)): try write(.places, body)
        case .gossip(.ask(let body)): try write(.headsWanted, body)
        case .gossip(.symbolsWanted(let body)): try write(.symbolsWanted, body)
        case .gossip(.symbols(let body)): try write(.symbols, body)
        case .gossip(.elementsWanted(let body)): try write(.elementsWanted, body)
        case .gossip(.contradiction(let body)): try write(.contradiction, body)
        case .relay(let body): try write(.heads, body)
        case .reachRequest(let body): try write(.reachRequest, body)
        case .reachAnswer(let body): try write(.reachAnswer, body)
        case .traceRequest(let body): try write(.traceRequest, body)
        case .traceAnswer(let body): try write(.traceAnswer, body)
        }
    }
}

/// What says all that it says by its kind.
private struct EmptyBody: Codable {}
