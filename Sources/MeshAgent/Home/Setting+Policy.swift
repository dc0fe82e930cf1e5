import MeshBase
import MeshControl

// The external policy engine.
extension Setting {
    static let policy: [Setting] = [
        optional("policy.url", .serverURL, \.policy.url) { $0.description },
        one("policy.rule", .rulePath, \.policy.rule) { $0 },
        choice("policy.asks", \.policy.asks),
        one("policy.timeout", .milliseconds(ConfigurationBounds.policyTimeout), \.policy.timeout) {
            "\($0.wholeMilliseconds)ms"
        },
        one("policy.cache", .offOr(ConfigurationBounds.policyCache), \.policy.cache) {
            $0 == .zero ? "off" : "\($0.wholeMilliseconds)ms"
        },
        optional("policy.tokenFile", .path, \.policy.tokenFile) { $0 },
        optional("policy.caFile", .path, \.policy.authorityFile) { $0 },
    ]
}

extension SettingForm where Value == String {
    /// A rule as OPA names it in a URL.
    static let rulePath = SettingForm(
        expected: "a rule's path of 1 to 512 letters, digits, '_', '-' and '/', such as comity/allow"
    ) { text in
        let isPlain = text.utf8.allSatisfy {
            $0.isLetterOrDigit || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/")].contains($0)
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return isPlain && (1...512).contains(text.utf8.count) && parts.allSatisfy { !$0.isEmpty } ? text : nil
    }
}

extension SettingForm where Value == Duration {
    /// Whole milliseconds, in any unit.
    static func milliseconds(_ range: ClosedRange<Duration>) -> SettingForm {
        let least = HumaneDuration.text(range.lowerBound)
        let most = HumaneDuration.text(range.upperBound)
        return SettingForm(expected: "a time from \(least) to \(most): 200ms, 2s") { text in
            HumaneDuration.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingForm where Value == Duration {
    /// Whole milliseconds, or nothing.
    static func offOr(_ range: ClosedRange<Duration>) -> SettingForm {
        let most = HumaneDuration.text(range.upperBound)
        return SettingForm(expected: "off, or a time up to \(most): 500ms, 10s") { text in
            text == "off" ? .zero : HumaneDuration.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension AgentConfiguration {
    func policyProblems(_ say: Say) {
        guard let url = policy.url, !url.isEncrypted else { return }
        if policy.authorityFile != nil {
            say("policy.url", "", "\(url) is not asked over TLS", "write https://\(url.endpoint)")
        }
        if policy.tokenFile != nil, !url.endpoint.isLoopback {
            say(
                "policy.url", "", "\(url) would be shown the token in clear over the network",
                "write https://\(url.endpoint), or ask an engine on this machine")
        }
    }
}
