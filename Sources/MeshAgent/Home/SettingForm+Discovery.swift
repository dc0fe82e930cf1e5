import MeshBase
import MeshControl

// How the settings of discovery are written.
extension SettingForm where Value == String {
    /// A path: whether there is a file shows when it is read.
    static let path = SettingForm(expected: "a path of 1 to 4095 bytes, absolute or from the home") { text in
        text.isEmpty || text.utf8.count > 4_095 || text.utf8.contains(0) ? nil : text
    }

    /// A name that Consul takes for services and datacenters, and that DNS takes as a label.
    static let serviceName = SettingForm(
        expected: "1 to 63 letters, digits or '-', the first a letter or digit"
    ) { text in
        let isPlain = text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
        return isPlain && text.utf8.count <= 63 && text.utf8.first?.isLetterOrDigit == true ? text : nil
    }

    /// A domain as people write it; kept in lower case and without the dot behind it.
    static let domain = SettingForm(expected: "a domain: labels of 1 to 63 letters, digits, '-' or '_'") {
        text in
        let name = (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
        let arePlain = name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(\.isPlain)
        }
        // An instance's label and `_comity._tcp.` must fit before it into the 255 bytes of a name.
        return arePlain && name.utf8.count <= 176 ? name : nil
    }

    /// A key of Consul's metadata: what a server takes, but for what this node says of itself.
    static let metadataKey = SettingForm(expected: "1 to 128 letters, digits, '-' or '_', not v or t") {
        text in
        let isOurs = text == PublicTag.versionKey || text == PublicTag.tagKey || text.hasPrefix("consul-")
        return !isOurs && (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(\.isPlain) ? text : nil
    }

    /// A value of Consul's metadata. No comma, so that the environment can give it too.
    static let metadataValue = SettingForm(expected: "at most 256 visible ASCII characters, no comma") {
        text in
        let isVisible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ",") }
        return isVisible && text.utf8.count <= 256 ? text : nil
    }
}

extension SettingForm where Value == AgentConfiguration.ServerURL {
    static let serverURL = SettingForm(
        expected: "http://HOST:PORT or https://HOST:PORT, without user, path or query"
    ) { AgentConfiguration.ServerURL($0) }
}

extension SettingForm where Value == Duration {
    /// Whole seconds, in any unit.
    static func duration(_ range: ClosedRange<Duration>) -> SettingForm {
        let least = HumaneDuration.text(range.lowerBound)
        let most = HumaneDuration.text(range.upperBound)
        return SettingForm(expected: "a time from \(least) to \(most) in whole seconds: 90s, 5m or 1h") {
            text in
            HumaneDuration.parse(text).flatMap {
                range.contains($0) && $0.components.attoseconds == 0 ? $0 : nil
            }
        }
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
    fileprivate var isPlain: Bool {
        isLetterOrDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
    }
}
