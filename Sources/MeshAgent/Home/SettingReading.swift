import MeshBase
import MeshControl

/// Reads the settings that hold several values. Each function goes on after a flaw, so that all are told at
/// once.
enum SettingReading {
    static func endpoints(_ written: SettingValue, _ flaws: inout [SettingFlaw]) -> [Endpoint] {
        guard let elements = written.elements else {
            flaws.append(misfit(written, "a list of HOST:PORT"))
            return []
        }
        return each(elements, &flaws) { element throws(SettingFlaw) in
            try SettingForm.endpoint.value(of: element)
        }
    }

    static func personRoles(_ written: SettingValue, _ flaws: inout [SettingFlaw]) -> [PersonRole] {
        guard let elements = written.elements else {
            flaws.append(misfit(written, "a list of responsible, accountable, consulted, informed"))
            return []
        }
        return each(elements, &flaws) { element throws(SettingFlaw) in
            try SettingForm<PersonRole>.choice.value(of: element)
        }
    }

    /// `HOST:PORT`, `NODE@HOST:PORT`, or a table with `endpoint` and `node`.
    static func staticPeers(
        _ written: SettingValue, _ flaws: inout [SettingFlaw]
    ) -> [AgentConfiguration.StaticPeer] {
        guard let elements = written.elements else {
            flaws.append(misfit(written, "a list of HOST:PORT, or of tables with endpoint and node"))
            return []
        }
        return each(elements, &flaws, staticPeer)
    }

    private static func staticPeer(_ element: SettingValue) throws(SettingFlaw)
        -> AgentConfiguration.StaticPeer
    {
        guard case .table(let members) = element.content else { return try shortStaticPeer(element) }
        var endpoint: Endpoint?
        var node: NodeID?
        for member in members {
            do throws(SettingFlaw) {
                switch member.key {
                case "endpoint": endpoint = try SettingForm.endpoint.value(of: member.value)
                case "node": node = try SettingForm.node.value(of: member.value)
                default:
                    throw SettingFlaw(
                        line: member.line, what: "is no setting of a static peer",
                        fix: "use endpoint and node only")
                }
            } catch {
                throw SettingFlaw(
                    place: "." + member.key, line: error.line ?? member.line, what: error.what, fix: error.fix
                )
            }
        }
        guard let endpoint else {
            throw SettingFlaw(line: element.line, what: "has no endpoint", fix: "add endpoint: HOST:PORT")
        }
        return AgentConfiguration.StaticPeer(endpoint: endpoint, node: node)
    }

    private static func shortStaticPeer(_ element: SettingValue) throws(SettingFlaw)
        -> AgentConfiguration.StaticPeer
    {
        if case .text(let text) = element.content, let at = text.firstIndex(of: "@") {
            let node = SettingValue(.text(String(text[..<at])), line: element.line)
            let endpoint = SettingValue(.text(String(text[text.index(after: at)...])), line: element.line)
            return AgentConfiguration.StaticPeer(
                endpoint: try SettingForm.endpoint.value(of: endpoint),
                node: try SettingForm.node.value(of: node))
        }
        return AgentConfiguration.StaticPeer(endpoint: try SettingForm.endpoint.value(of: element))
    }

    static func principals(
        _ written: SettingValue, _ flaws: inout [SettingFlaw]
    ) -> OrderedTable<AgentConfiguration.Caller, [Principal]> {
        table(written, key: .caller, &flaws, expected: "caller: [principal, ...]") {
            value throws(SettingFlaw) in
            // In a text of one line the comma stands between callers.
            if case .text(let text) = value.content {
                let parts = text.split(separator: "+").map {
                    SettingValue(.text(String($0)), line: value.line)
                }
                return try all(parts, .principal)
            }
            guard let names = value.elements else { throw misfit(value, "a list of principals") }
            return try all(names, .principal)
        }
    }

    /// Domains, in the order in which they are asked.
    static func domains(_ written: SettingValue, _ flaws: inout [SettingFlaw]) -> [String] {
        guard let elements = written.elements else {
            flaws.append(misfit(written, "a list of domains"))
            return []
        }
        return each(elements, &flaws) { element throws(SettingFlaw) in
            try SettingForm.domain.value(of: element)
        }
    }

    /// Pairs of Consul's metadata.
    static func metadata(
        _ written: SettingValue, _ flaws: inout [SettingFlaw]
    ) -> OrderedTable<String, String> {
        table(written, key: .metadataKey, &flaws, expected: "key: value") { value throws(SettingFlaw) in
            try SettingForm.metadataValue.value(of: value)
        }
    }

    /// Programs and their arguments, by the names that resources use.
    static func programs(
        _ written: SettingValue, _ flaws: inout [SettingFlaw]
    ) -> OrderedTable<ResourceName, [String]> {
        table(written, key: .resource, &flaws, expected: "name: [/path/of/program, argument, ...]") {
            value throws(SettingFlaw) in
            var command: [String] = []
            switch value.content {
            case .text(let text): command = [text]
            case .list(let words):
                for word in words { command.append(try SettingForm.commandWord.value(of: word)) }
            case .nothing, .table: break
            }
            guard let program = command.first, program.hasPrefix("/"), !program.utf8.contains(0),
                command.count <= ConfigurationBounds.commandWords
            else { throw misfit(value, SettingForm.command) }
            return command
        }
    }

    static func users(_ written: SettingValue, _ flaws: inout [SettingFlaw]) -> OrderedTable<
        UInt32, Principal
    > {
        table(written, key: .user, &flaws, expected: "user ID: principal") { value throws(SettingFlaw) in
            try SettingForm.principal.value(of: value)
        }
    }

    private static func all<Value>(
        _ elements: [SettingValue], _ form: SettingForm<Value>
    ) throws(SettingFlaw) -> [Value] {
        var values: [Value] = []
        for element in elements { values.append(try form.value(of: element)) }
        return values
    }

    private static func table<Key: Comparable & Sendable, Value: Sendable>(
        _ written: SettingValue, key form: SettingForm<Key>, _ flaws: inout [SettingFlaw], expected: String,
        value read: (SettingValue) throws(SettingFlaw) -> Value
    ) -> OrderedTable<Key, Value> {
        var table = OrderedTable<Key, Value>()
        guard let members = written.members else {
            flaws.append(misfit(written, "entries of the form \(expected)"))
            return table
        }
        for member in members {
            do throws(SettingFlaw) {
                let key = try form.value(of: SettingValue(.text(member.key), line: member.line))
                let value = try read(member.value)
                guard table[key] == nil else {
                    throw SettingFlaw(line: member.line, what: "is there twice", fix: "keep one of the two")
                }
                table[key] = value
            } catch {
                flaws.append(
                    SettingFlaw(
                        place: "." + member.key.prefix(60), line: error.line ?? member.line, what: error.what,
                        fix: error.fix))
            }
        }
        return table
    }

    private static func each<Value>(
        _ elements: [SettingValue], _ flaws: inout [SettingFlaw],
        _ read: (SettingValue) throws(SettingFlaw) -> Value
    ) -> [Value] {
        var values: [Value] = []
        for (number, element) in elements.enumerated() {
            do throws(SettingFlaw) {
                values.append(try read(element))
            } catch {
                flaws.append(
                    SettingFlaw(
                        place: "[\(number)]" + error.place, line: error.line ?? element.line,
                        what: error.what,
                        fix: error.fix))
            }
        }
        return values
    }

    private static func misfit(_ written: SettingValue, _ expected: String) -> SettingFlaw {
        SettingFlaw(line: written.line, what: "\(written.kind) does not fit here", fix: "write \(expected)")
    }
}
