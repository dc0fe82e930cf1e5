import MeshBase

/// How audiences are compared.
public struct GossipConfiguration: Sendable, Equatable {
    /// Up to how many heads an audience is compared by a list of them, and how many places a page has: 1 ...
    /// 128. What has more heads is compared by coded symbols. With less than the default small audiences
    /// walk the paths of large ones.
    public var listMost = HeadPage.most

    /// The defaults.
    public init() {}

    /// All that is wrong with it.
    public func problems() -> [String] {
        (1...HeadPage.most).contains(listMost) ? [] : ["listMost is 1 ... \(HeadPage.most)"]
    }
}
