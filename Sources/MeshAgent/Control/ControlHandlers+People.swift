import MeshAgreements
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshWire

// People who approve: this node vouches for them, and takes their words.
extension ControlHandlers {
    func vouch(_ request: VouchForPerson.Request) async throws(ControlFailure) -> PersonReport {
        guard let info = Base64URL.decode(request.key), let key = PersonKey.publicKey(info) else {
            throw .usage("the key is no P-256 public key", [Fact("given", String(request.key.prefix(64)))])
        }
        let order = VouchingOrder(
            name: request.name, key: key, roles: request.roles.map(\.role), life: .seconds(request.seconds))
        return try await person(.vouch(order))
    }

    func listPeople() async -> PeopleReport { await plane.report { $0.people } }

    func endVouching(_ request: EndVouching.Request) async throws(ControlFailure) -> PersonReport {
        try await person(.endVouching(request.name))
    }

    func prepareApproval(
        _ request: PrepareApproval.Request
    ) async throws(ControlFailure) -> PrepareApproval.Response {
        let record = try await record(request.id)
        let roles = await plane.report { writer -> [PersonRole]? in
            let known = writer.people.people.filter { $0.pin == request.pin }
            guard let person = known.first(where: { $0.state == .vouched }) ?? known.first else {
                return nil
            }
            let missing = writer.approvals(of: record)?.missingHere ?? []
            let wanted = person.roles.filter(missing.contains)
            return wanted.isEmpty ? person.roles : wanted
        }
        guard let roles else {
            throw ControlFailure(
                Refusal(
                    .approvalInvalid,
                    [
                        Fact("because", "this node vouches for no such key"),
                        Fact("signature by", String(request.pin.prefix(64))),
                    ]))
        }
        let party = await plane.report { $0.node.me.node }
        return .init(contentID: record.contentID.description, party: party, roles: roles)
    }

    /// It counts here when this answers; that the peer has it is waited for as after an offer.
    func giveApproval(_ request: GiveApproval.Request) async throws(ControlFailure) -> AgreementReport {
        let word: Signed<Approval>
        do throws(WireError) {
            word = try Document.decode(from: Array(request.document.utf8), limit: Limits.framePayload)
        } catch {
            throw ControlFailure(
                Refusal(.documentInvalid, [Fact("problem", String(describing: error))]))
        }
        return await settled(try await agreed(.approve(word))) { record in
            record.approvals.allSatisfy { $0.isHeard }
        }
    }

    private func person(_ command: NodeCommand) async throws(ControlFailure) -> PersonReport {
        switch await plane.command(command) {
        case .vouched(let person): return await plane.report { $0.report(of: person) }
        case .refused(let reasons): throw ControlFailure(reasons)
        case let other: throw .unfitting(other, to: "key")
        }
    }
}
