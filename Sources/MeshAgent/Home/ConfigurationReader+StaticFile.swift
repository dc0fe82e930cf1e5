import MeshBase

// The list of peers that other tools write.
extension ConfigurationReader {
    private static let key = "discovery.staticFile"

    /// Reads the file that `discovery.staticFile` names, if any: a list of entries as in `discovery.static`,
    /// or a table with such a list under `peers`. JSON is read as the YAML that it is.
    mutating func takeStaticFile(_ contents: (String) throws(HomeError) -> [UInt8]?) {
        guard let path = configuration.discovery.staticFile else { return }
        do throws(SettingFlaw) {
            let entries = try Self.entries(of: try Self.bytes(of: path, contents))
            var flaws: [SettingFlaw] = []
            let peers = SettingReading.staticPeers(entries, &flaws)
            for flaw in flaws { say(flaw, in: path) }
            if flaws.isEmpty { configuration.discovery.listed = peers }
        } catch {
            say(error, in: path)
        }
    }

    private static func bytes(
        of path: String, _ contents: (String) throws(HomeError) -> [UInt8]?
    ) throws(SettingFlaw) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try contents(path)
        } catch {
            throw SettingFlaw(what: "\(error)", fix: "make it readable, or remove the setting")
        }
        guard let bytes else {
            throw SettingFlaw(what: "no such file", fix: "write it, or remove the setting")
        }
        return bytes
    }

    private static func entries(of bytes: [UInt8]) throws(SettingFlaw) -> SettingValue {
        let value = try ConfigurationText.value(of: bytes)
        switch value.content {
        case .nothing: return SettingValue(.list([]))
        case .list: return value
        case .table(let members):
            for member in members where member.key != "peers" {
                throw SettingFlaw(
                    place: "." + member.key.prefix(60), line: member.line,
                    what: "is nothing that is read here",
                    fix: "write the entries under peers")
            }
            return members.first?.value ?? SettingValue(.list([]))
        case .text:
            throw SettingFlaw(
                line: value.line, what: "the file holds \(value.kind)", fix: "write a list of peers")
        }
    }

    private mutating func say(_ flaw: SettingFlaw, in path: String) {
        problems.append(
            ConfigurationProblem(
                key: Self.key + flaw.place, origin: .named(path: path, line: flaw.line), what: flaw.what,
                fix: flaw.fix))
    }
}
