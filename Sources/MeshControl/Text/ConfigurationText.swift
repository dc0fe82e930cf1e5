import MeshBase

/// `comity config show`.
public enum ConfigurationText {
    /// One line for each value, with its origin.
    public static func render(_ report: ConfigurationReport, _ presentation: Presentation) -> String {
        var table = TextTable(["KEY", "VALUE", "FROM"])
        for value in report.values {
            let isDefault = value.origin == "default"
            table.add([
                .init(value.key), .init(value.value, isDefault ? .faint : nil),
                .init(value.origin, isDefault ? .faint : nil),
            ])
        }
        return table.render(presentation)
    }
}
