/// Every target of the modules that are declared (Package.swift).
public enum FuzzTargets {
    /// By module, in the order in which bytes meet them.
    public static let all: [FuzzTarget] = {
        var targets: [FuzzTarget] = []
        #if FUZZ_Wire
            targets += wire
        #endif
        #if FUZZ_Documents
            targets += documents
        #endif
        #if FUZZ_MeshLink
            targets += link
        #endif
        #if FUZZ_MeshCredentials
            targets += credentials
        #endif
        #if FUZZ_MeshStore
            targets += store
        #endif
        #if FUZZ_MeshAvahi
            targets += avahi
        #endif
        #if FUZZ_MeshDNS
            targets += dns
        #endif
        #if FUZZ_MeshConsul
            targets += consul
        #endif
        #if FUZZ_MeshPolicy
            targets += policy
        #endif
        #if FUZZ_MeshMCP
            targets += mcp
        #endif
        #if FUZZ_MeshGateway
            targets += gateway
        #endif
        #if FUZZ_MeshControl
            targets += control
        #endif
        #if FUZZ_MeshAgent
            targets += agent
            targets += backup
            targets += doctor
        #endif
        return targets
    }()
}
