import MeshBase

/// How values of one kind are written and read, with the words that help whoever wrote them wrong.
struct SettingForm<Value: Sendable>: Sendable {
    /// What is expected: the fix in every problem.
    let expected: String
    let read: @Sendable (String) -> Value?

    /// The value, or what is wrong.
    func value(of written: SettingValue) throws(SettingFlaw) -> Value {
        guard case .text(let text) = written.content, let value = read(text) else {
            throw SettingFlaw(
                line: written.line, what: "\(written.kind) does not fit here", fix: "write \(expected)")
        }
        return value
    }
}

extension SettingForm where Value == Bool {
    static let toggle = SettingForm(expected: "on or off") { text in
        switch text.lowercased() {
        case "on", "true", "yes": true
        case "off", "false", "no": false
        default: nil
        }
    }
}

extension SettingForm where Value == NodeName {
    static let name = SettingForm(
        expected: "1 to 63 letters, digits, '.', '_' or '-', the first a letter or digit"
    ) {
        NodeName($0)
    }
}

extension SettingForm where Value == NodeID {
    static let node = SettingForm(expected: "a node ID: n and 52 characters, as comity key show prints it") {
        NodeID($0)
    }
}

extension SettingForm where Value == Principal {
    static let principal = SettingForm(expected: "a name of 1 to 256 bytes without control characters") {
        Principal($0)
    }
}

extension SettingForm where Value == Endpoint {
    /// Where to connect to.
    static let endpoint = SettingForm(expected: "HOST:PORT, an IPv6 address in brackets: [2001:db8::1]:7410")
    { Endpoint($0) }

    /// Where to listen: the host may be left out.
    static let listener = SettingForm(expected: "HOST:PORT or :PORT, port 0 for any free one: [::]:7410") {
        text in
        text.hasPrefix(":") ? Endpoint("[::]" + text) : Endpoint(text)
    }

    /// Where to listen on this machine only.
    static let localListener = SettingForm(
        expected: "127.0.0.1:PORT, [::1]:PORT or :PORT, port 0 for any free one"
    ) { text in
        text.hasPrefix(":") ? Endpoint("127.0.0.1" + text) : Endpoint(text)
    }
}

extension SettingForm where Value == UInt32 {
    static let user = SettingForm(expected: "a user ID: a whole number from 0 to 4294967294") { text in
        // The highest means "nobody in particular" to the system calls that take a user ID.
        UInt32(text).flatMap { $0 == .max ? nil : $0 }
    }
}

extension SettingForm where Value == AgentConfiguration.Caller {
    static let caller = SettingForm(expected: "a user ID, or port for whoever reaches the gateway's port") {
        text in
        text == "port" ? .port : SettingForm<UInt32>.user.read(text).map { .user($0) }
    }
}

extension SettingForm where Value == Int64 {
    static func number(_ range: ClosedRange<Int64>, of unit: String) -> SettingForm {
        SettingForm(expected: "a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)") {
            text in
            Int64(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Bytes, with or without a unit.
    static func bytes(_ range: ClosedRange<Int64>) -> SettingForm {
        SettingForm(
            expected: "a size from \(ByteCount.text(range.lowerBound)) to \(ByteCount.text(range.upperBound))"
        ) { text in
            ByteCount.read(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable {
    static var choice: SettingForm {
        SettingForm(expected: Value.allCases.map(\.rawValue).joined(separator: " or ")) {
            Value(rawValue: $0)
        }
    }
}

/// Sizes as people write them: whole numbers with a binary unit.
enum ByteCount {
    private static let units: [(name: String, shift: Int64)] = [
        ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0),
    ]

    /// Nil for anything but a whole number, a space if one likes, and a unit, or for more than 2^53.
    static func read(_ text: String) -> Int64? {
        for unit in units where text.hasSuffix(unit.name) {
            guard let number = Int64(text.dropLast(unit.name.count).trimmingSpaces()), number >= 0 else {
                return nil
            }
            let (product, overflow) = number.multipliedReportingOverflow(by: 1 << unit.shift)
            return overflow || product > 1 << 53 ? nil : product
        }
        return nil
    }

    /// In the largest unit that leaves a whole number.
    static func text(_ bytes: Int64) -> String {
        for unit in units
        where bytes >= 1 << unit.shift && bytes % (1 << unit.shift) == 0 && !unit.name.isEmpty {
            return "\(bytes >> unit.shift) \(unit.name)"
        }
        return "\(bytes) B"
    }
}
