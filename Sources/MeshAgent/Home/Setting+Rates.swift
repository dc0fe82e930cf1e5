import MeshAgreements
import MeshControl
import MeshRouting

// How often partners and principals may call.
extension Setting {
    static let rates: [Setting] = [
        one("calls.perPeer", .rate, \.calls.perPeer) { CallRate.written($0) },
        one("calls.perPrincipal", .rate, \.calls.perPrincipal) { CallRate.written($0) },
    ]
}

extension CallRate {
    /// As `SettingForm.rate` reads it, whose spans are a second, a minute and an hour.
    fileprivate static func written(_ rate: CallRate?) -> String {
        guard let rate else { return "off" }
        let span = rate.seconds == 1 ? "s" : rate.seconds == 60 ? "m" : "h"
        return "\(rate.calls)/\(span):\(rate.burst)"
    }
}

extension SettingForm where Value == CallRate? {
    /// A rate as `comity offer --rate` takes it, or none.
    static let rate = SettingForm(
        expected: "off, or CALLS/SPAN[:BURST] with a span of s, m or h: 100/s, 6000/m:200"
    ) { text in
        if text == "off" { return .some(nil) }
        let counts = 1...AgreementLimits.rateMax
        guard let rate = LimitText.rate(text), counts.contains(rate.calls), counts.contains(rate.burst)
        else { return nil }
        return CallRate(calls: rate.calls, seconds: rate.seconds, burst: rate.burst)
    }
}
