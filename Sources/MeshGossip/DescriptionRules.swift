import MeshBase

/// What a description must be, the same for who tells it and who is told: whoever offers more is refused
/// here, so that nothing an honest node sends is ever held against it there.
extension ResourceDescription {
    /// What is wrong with it, as a limit that was compared; nil when nothing is.
    ///
    /// Texts are held to `Limits.documentText` first: what is longer cannot be encoded at all.
    public func flaw(using suite: some SignatureSuite) -> Fact? {
        guard (1...Limits.capabilitiesPerResource).contains(capabilities.count) else {
            return Fact("capabilities, 1 to \(Limits.capabilitiesPerResource)", capabilities.count)
        }
        guard labels.count <= Limits.labelsPerResource else {
            return Fact("labels, at most \(Limits.labelsPerResource)", labels.count)
        }
        if let capability = capabilities.first(where: { !$0.isWellFormed }) {
            return Fact("capability", "\(capability.name): methods or path")
        }
        if let label = labels.first(where: { !$0.value.isPlainAndShort }) {
            return Fact("label", "\(label.key): longer than \(Limits.documentText) bytes, or not plain")
        }
        var names = OrderedTable<ResourceName, Bool>()
        for capability in capabilities { names[capability.name] = true }
        guard names.count == capabilities.count else { return Fact("capabilities", "two of one name") }
        let length = suite.encoded(self).count
        guard length <= Limits.recordBody else {
            return Fact("bytes of the description, at most \(Limits.recordBody)", length)
        }
        return nil
    }
}

extension Capability {
    fileprivate var isWellFormed: Bool {
        guard (1...64).contains(methods.count), path.utf8.first == UInt8(ascii: "/"), path.isPlainAndShort
        else { return false }
        return methods.allSatisfy { method in
            (1...16).contains(method.utf8.count)
                && method.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        }
    }
}

extension String {
    fileprivate var isPlainAndShort: Bool { utf8.count <= Limits.documentText && isPlain }
}
