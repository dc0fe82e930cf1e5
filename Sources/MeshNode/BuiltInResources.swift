import MeshBase
import MeshRouting

extension LocalResource {
    /// The built-in resource that answers with what it was sent.
    public static let echo = LocalResource(
        description: CapabilityMatcher.echo, url: nil, timeoutInMilliseconds: nil)

    /// The resource of this name that every node has; nil: there is none.
    init?(builtIn name: ResourceName) {
        guard let description = CapabilityMatcher.builtIn(name) else { return nil }
        self.init(description: description, url: nil, timeoutInMilliseconds: nil)
    }
}
