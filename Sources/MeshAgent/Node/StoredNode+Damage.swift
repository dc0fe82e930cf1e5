import MeshAgreements
import MeshBase
import MeshStore
import MeshWire

// Rows that cannot be read: one of them takes nothing else with it.
extension StoredNode {
    static func damaged(_ row: AgreementRow, _ problem: String) -> DamagedAgreement {
        DamagedAgreement(
            contentID: row.contentID, peer: row.peer, id: AgreementID(row.agreement), version: row.version,
            until: row.validUntil,
            refusal: Refusal(
                .documentInvalid,
                [
                    Fact("agreement", String(row.agreement.prefix(64))), Fact("version", row.version),
                    Fact("content id", row.contentID), Fact("problem", String(problem.prefix(200))),
                ]))
    }

    /// The person that a row keeps; it throws when the row keeps none, or another.
    static func person(_ row: PersonRow) throws -> VouchingRecord {
        let document: Signed<Vouching> = try read(row.document)
        guard document.body.name == row.name else {
            throw AgentFailure.storeUnreadable(what: "person \(row.name) under a name that is not its own")
        }
        return VouchingRecord(document: document, ended: row.ended)
    }

    static func damaged(_ row: PersonRow, _ problem: String) -> DamagedPerson {
        DamagedPerson(
            name: row.name,
            refusal: Refusal(
                .documentInvalid,
                [Fact("person", row.name), Fact("problem", String(problem.prefix(200)))]))
    }
}
