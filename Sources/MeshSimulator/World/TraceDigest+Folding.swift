import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshNode
import MeshRouting
import MeshTrust

// What of inputs and effects goes into the digest: who, which, and everything that was sent, signed or
// written.
extension TraceDigest {
    mutating func fold(_ input: NodeInput, at host: Int) {
        fold(host)
        switch input {
        case .connectionSecured(let connection, let secured, _):
            fold(1, connection)
            fold(secured.nonce.bytes)
        case .documentArrived(let connection, _): fold(2, connection)
        case .documentUnreadable(let connection, _): fold(3, connection)
        case .heard(let connection): fold(4, connection)
        case .pinged(let connection, let ping):
            fold(5, connection)
            fold(ping.bytes)
        case .ponged(let connection, let roundTrip):
            fold(6, connection)
            fold(UInt64(bitPattern: roundTrip.wholeNanoseconds))
        case .connectionClosed(let connection): fold(7, connection)
        case .goingAway(let connection): fold(18, connection)
        case .linkWanted(let node), .linkUsed(let node): fold(node.digest.bytes)
        case .doorClosed(let connection): fold(16, connection)
        case .sighted(let sighting): fold("sighted \(sighting.key.source)")
        case .withdrawn(let key): fold("withdrawn \(key.source)")
        case .signed(let ticket, _): fold(10, ticket)
        case .signingFailed(let ticket): fold(17, ticket)
        case .anchorChanged(let anchor): fold(anchor?.info.bytes ?? [])
        case .anchorCertified(let certificate): fold(certificate.bytes)
        case .enrolmentOrdered(let token): fold(token.record.payload.bytes)
        case .commanded(let ticket, _): fold(11, ticket)
        case .roomMeasured: fold(12)
        case .callsFoundUnfinished(let calls):
            for event in calls.underWay + calls.unclosed { fold(event.id.low) }
        case .lookedUp(let question, _): fold(UInt64(bitPattern: question.number))
        case .timeReached: fold(15)
        case .encryptionKeysHeld(let held): fold(held.current.bytes)
        case .listens(let notice): fold(Int(notice.port))
        }
    }

    mutating func fold(_ effect: NodeEffect, _ suite: SimulatedSuite) {
        switch effect {
        case .dial(let connection, let endpoint, let purpose):
            fold(21, connection)
            fold("\(endpoint) \(purpose.rawValue)")
        case .dialThrough(let connection, let dial):
            fold(38, connection)
            fold(dial.peer.digest.bytes)
            fold(dial.relay.digest.bytes)
        case .send(let connection, let document):
            fold(22, connection)
            fold(suite.encoded(document))
        case .admit(let connection, let node, _):
            fold(23, connection)
            fold(node.digest.bytes)
        case .ping(let connection, let ping):
            fold(24, connection)
            fold(ping.bytes)
        case .close(let connection, let code):
            fold(25, connection)
            fold(code?.rawValue ?? "")
        case .sign(let request):
            fold(26, request.ticket)
            fold(request.payload.bytes)
        case .makeEncryptionKey: fold(36)
        case .dropEncryptionKey: fold(37)
        case .persist(let change): fold(change)
        case .linkUp(let node, let connection):
            fold(28, connection)
            fold(node.digest.bytes)
        case .drain(let connection): fold(38, connection)
        case .linkDown(let node), .linkAtRest(let node): fold(node.digest.bytes)
        case .publish(let view): fold(view.peers.count)
        case .pairing(let window): fold(window.rawValue)
        case .renewSessions: fold(32)
        case .awaitPeople(let connection): fold(35, connection)
        case .repeatHandshake(let connection): fold(34, connection)
        case .answer(let ticket, let answer):
            fold(33, ticket)
            if case .refused(let refusals) = answer {
                for refusal in refusals { fold(refusal.code.rawValue) }
            }
        case .confirmationWanted(let name, _, _): fold(name.octets.bytes)
        case .lookUp(let question): fold(question.correlation.low)
        case .record(let records, _): fold(records)
        }
    }

    private mutating func fold(_ change: NodeChange) {
        switch change {
        case .trust(.peer(let peer)):
            fold(peer.node.digest.bytes)
            fold(peer.state.rawValue)
        case .trust(.peerForgotten(let node)), .trust(.credentialGone(let node)),
            .trust(.convictionGone(let node)):
            fold(node.digest.bytes)
        case .trust(.conviction(let conviction)): fold(conviction.node.digest.bytes)
        case .trust(.home(let home)): fold(home.chain.credential.payload.bytes)
        case .trust(.credential(let credential)): fold(credential.chain.credential.payload.bytes)
        case .trust(.tokenUse(let use)):
            fold(use.token.digest.bytes)
            fold(use.usedBy.count)
        case .trust(.tokenForgotten(let token)): fold(token.digest.bytes)
        case .trust(.partnerships(let decision)): fold(decision.payload.bytes)
        case .trust(.bundle(let bundle)): fold(bundle.payload.bytes)
        case .trust(.bundleGone(let domain)): fold(domain.digest.bytes)
        case .trust(.invite(let invite)): fold(invite.name.octets.bytes)
        case .trust(.inviteGone(let name)): fold(name.octets.bytes)
        case .trust(.ownBoot(let boot)): fold(UInt64(bitPattern: boot.number))
        case .gossip(.head(let stored)): fold(stored.head.payload.bytes)
        case .gossip(.headGone(let owner, let audience)):
            fold(owner.digest.bytes)
            fold(Array(audience.description.utf8))
        case .agreement(let record):
            fold(record.contentID.bytes)
            fold(record.document.signatures.count)
            for approval in record.approvals {
                fold(approval.evidence.approval.payload.bytes)
                fold(approval.isHeard ? 1 : 0)
            }
        case .agreementForgotten(let contentID), .domainAgreementForgotten(let contentID):
            fold(contentID.bytes)
        case .domainAgreement(let record):
            fold(record.contentID.bytes)
            fold(record.content.stage.rawValue)
        case .person(let person):
            fold(person.document.payload.bytes)
            fold(person.ended == nil ? 0 : 1)
        case .personForgotten(let name): fold(name.description)
        case .resource(let resource, let offer): fold("\(resource.name) \(offer.rawValue)")
        case .houseAgreement(let document): fold("\(document.body.domain) \(document.body.version)")
        case .resourceRemoved(let name): fold(name.description)
        case .route(let name, let rule):
            fold(name.description)
            fold(rule.providers.count)
            for provider in rule.providers { fold(Int(provider.weight)) }
            for preference in rule.preferences { fold(preference.description) }
            if let preferred = rule.preferred { fold(preferred.digest.bytes) }
            if rule.order == .spread { fold(rule.order.rawValue) }
            if let hedge = rule.hedge { fold(hedge.description) }
        case .endpoint(let node, let endpoint), .endpointForgotten(let node, let endpoint):
            fold(node.digest.bytes)
            fold(endpoint.description)
        }
    }

    mutating func fold(_ tag: Int, _ connection: ConnectionID) {
        fold(tag)
        fold(connection.number)
    }

    private mutating func fold(_ tag: Int, _ ticket: Ticket) {
        fold(tag)
        fold(ticket.number)
    }
}
