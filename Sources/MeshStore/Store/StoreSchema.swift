import GRDB

/// The tables, as one step for each version of the schema. A step that was shipped is never changed, only
/// followed by another.
struct StoreSchema: Sendable {
    /// What to execute to come from the version before: the first one makes version 1.
    let steps: [String]

    /// The version that all steps lead to.
    var version: Int { steps.count }

    /// As it is.
    static let current = StoreSchema(steps: [
        firstStep, secondStep, thirdStep, fourthStep, fifthStep, sixthStep, seventhStep, eighthStep,
        ninthStep, tenthStep, eleventhStep, twelfthStep,
    ])

    /// Takes each step that is missing, in a transaction of its own together with its version number.
    func migrate(_ writer: some DatabaseWriter) throws {
        var migrator = DatabaseMigrator()
        for (index, step) in steps.enumerated() {
            migrator.registerMigration("v\(index + 1)") { database in
                try database.execute(sql: step)
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        try migrator.migrate(writer)
    }

    // Times are milliseconds since the Unix epoch; node IDs are text, digests and pins are blobs of 32 bytes.
    private static let firstStep = """
        CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE peers (
            node_id TEXT PRIMARY KEY NOT NULL, name TEXT UNIQUE, state TEXT NOT NULL, identity_key BLOB,
            pin BLOB, inception BLOB, boot_number INTEGER, boot_random BLOB, trusted_since INTEGER,
            evidence TEXT NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE peer_endpoints (
            node_id TEXT NOT NULL REFERENCES peers(node_id) ON DELETE CASCADE, endpoint TEXT NOT NULL,
            witness TEXT NOT NULL, last_success INTEGER, PRIMARY KEY (node_id, endpoint, witness))
            WITHOUT ROWID;
        CREATE TABLE pinned_keys (pin BLOB PRIMARY KEY NOT NULL, node_id TEXT NOT NULL, state TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE invites (
            id BLOB PRIMARY KEY NOT NULL, secret BLOB NOT NULL, expires INTEGER NOT NULL, used_by_pin BLOB,
            wrong_proofs INTEGER NOT NULL, ask INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE resources (
            name TEXT PRIMARY KEY NOT NULL, document TEXT NOT NULL, offered_to TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE routes (resource TEXT PRIMARY KEY NOT NULL, via TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE agreements (
            content_id BLOB PRIMARY KEY NOT NULL, agreement_id TEXT NOT NULL, version INTEGER NOT NULL,
            peer TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, document BLOB NOT NULL,
            valid_until INTEGER NOT NULL, updated INTEGER NOT NULL);
        CREATE INDEX agreements_by_peer ON agreements(peer);
        CREATE TABLE heads (
            owner TEXT NOT NULL, audience TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
            root BLOB NOT NULL, document BLOB NOT NULL, PRIMARY KEY (owner, audience));
        CREATE TABLE records (
            owner TEXT NOT NULL, audience TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (owner, audience, key),
            FOREIGN KEY (owner, audience) REFERENCES heads(owner, audience) ON DELETE CASCADE);
        CREATE TABLE idempotency (
            caller TEXT NOT NULL, key TEXT NOT NULL, request_digest BLOB NOT NULL, state TEXT NOT NULL,
            outcome BLOB, expires INTEGER NOT NULL, PRIMARY KEY (caller, key));
        CREATE INDEX idempotency_by_expiry ON idempotency(expires);
        CREATE TABLE events (
            id BLOB NOT NULL UNIQUE, time INTEGER NOT NULL, type TEXT NOT NULL, correlation BLOB,
            source TEXT NOT NULL, target TEXT NOT NULL, principal TEXT, resource TEXT, capability TEXT,
            action TEXT NOT NULL, stage TEXT NOT NULL, success INTEGER NOT NULL, code TEXT,
            position INTEGER NOT NULL, record BLOB NOT NULL);
        CREATE INDEX events_by_correlation ON events(correlation) WHERE correlation IS NOT NULL;
        CREATE INDEX events_by_time ON events(time, id);
        CREATE INDEX events_by_position ON events(position);
        CREATE INDEX events_under_way ON events(id) WHERE stage = 'under-way';
        CREATE TABLE indexed_position (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
        INSERT INTO indexed_position VALUES (1, 0);
        """

    // Own calls that no event closes as yet, each with its last attempt: what a start must finish.
    private static let secondStep = """
        CREATE TABLE unclosed_calls (correlation BLOB PRIMARY KEY NOT NULL, record BLOB NOT NULL)
            WITHOUT ROWID;
        INSERT OR REPLACE INTO unclosed_calls
            SELECT correlation, record FROM events AS attempt
            WHERE type = 'attempt' AND stage = 'under-way' AND correlation IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM events WHERE correlation = attempt.correlation AND type = 'call')
            ORDER BY id;
        """

    // The newest house agreement of each domain that the node is or was in, with the anchor's key.
    private static let thirdStep = """
        CREATE TABLE house_agreements (
            domain TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, anchor BLOB NOT NULL,
            document BLOB NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
        """

    // Domains: whose trust rests on a credential, the credentials, and whom tokens served. The node's own is
    // a setting.
    private static let fourthStep = """
        ALTER TABLE peers ADD COLUMN domain TEXT;
        CREATE TABLE credentials (node_id TEXT PRIMARY KEY NOT NULL, chain BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE token_uses (
            token BLOB PRIMARY KEY NOT NULL, until INTEGER NOT NULL, used_by BLOB NOT NULL) WITHOUT ROWID;
        """

    // What the node's domain decided about others, and domains' bundles: the newest of each.
    private static let fifthStep = """
        CREATE TABLE domain_papers (
            kind TEXT NOT NULL, domain TEXT NOT NULL, document BLOB NOT NULL, updated INTEGER NOT NULL,
            PRIMARY KEY (kind, domain)) WITHOUT ROWID;
        """

    // What people said about agreements, and for whom this node vouches. Their private keys are never here.
    private static let sixthStep = """
        ALTER TABLE agreements ADD COLUMN approvals BLOB;
        CREATE TABLE people (
            name TEXT PRIMARY KEY NOT NULL, document BLOB NOT NULL, ended INTEGER,
            updated INTEGER NOT NULL) WITHOUT ROWID;
        """

    // What calls used of agreements' quotas, and of which ends people were told.
    private static let seventhStep = """
        CREATE TABLE meters (
            agreement_id TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY (agreement_id, source, target)) WITHOUT ROWID;
        ALTER TABLE agreements ADD COLUMN warned INTEGER;
        """

    // The index of the audit holds where an event's records stand in the journal, and not the records: it is
    // made anew from the journal. `settled` is NULL while an event is under way.
    private static let eighthStep = """
        DROP TABLE events;
        DROP TABLE unclosed_calls;
        CREATE TABLE events (
            position INTEGER PRIMARY KEY, settled INTEGER, success INTEGER NOT NULL, id BLOB NOT NULL,
            time INTEGER NOT NULL, type TEXT NOT NULL, correlation BLOB, source BLOB NOT NULL,
            target BLOB NOT NULL, principal TEXT, resource TEXT);
        CREATE INDEX events_by_correlation ON events(correlation) WHERE correlation IS NOT NULL;
        CREATE INDEX events_by_time ON events(time);
        CREATE INDEX events_under_way ON events(id) WHERE settled IS NULL;
        CREATE TABLE unclosed_calls (correlation BLOB PRIMARY KEY NOT NULL, position INTEGER NOT NULL)
            WITHOUT ROWID;
        UPDATE indexed_position SET position = 0;
        """

    // Agreements in which a domain is a party, with the chains of who signed.
    private static let ninthStep = """
        CREATE TABLE domain_agreements (
            content_id BLOB PRIMARY KEY NOT NULL, agreement_id TEXT NOT NULL, document BLOB NOT NULL,
            updated INTEGER NOT NULL) WITHOUT ROWID;
        """

    // Members who told two things and were never met.
    private static let tenthStep = """
        CREATE TABLE convictions (
            node_id TEXT PRIMARY KEY NOT NULL, evidence TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
        """

    // Whom the router prefers among the providers of a resource, as JSON; NULL: nobody.
    private static let eleventhStep = """
        ALTER TABLE routes ADD COLUMN choice TEXT;
        """

    // The index of the audit holds blocks of the journal in place of its events (`AuditBlock`): it is made
    // anew from the journal. Positions are those of the journal; `late_ends` has where an event begins and
    // where its end stands that is not in the same block.
    private static let twelfthStep = """
        DROP TABLE events;
        DELETE FROM unclosed_calls;
        CREATE TABLE audit_blocks (
            position INTEGER PRIMARY KEY, end INTEGER NOT NULL, oldest INTEGER NOT NULL,
            newest INTEGER NOT NULL, failures INTEGER NOT NULL, salt BLOB NOT NULL, filter BLOB NOT NULL);
        CREATE TABLE events_under_way (id BLOB PRIMARY KEY NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE late_ends (position INTEGER PRIMARY KEY, settled INTEGER NOT NULL);
        UPDATE indexed_position SET position = 0;
        """
}
