import Glibc
import Testing

@testable import MeshAgent

@Suite struct OpenFilesTests {
    @Test func `applications get a quarter of what the process may open, and never more than 4 096`() {
        for (limit, gateway) in [(1_024, 256), (16_384, 4_096), (20_000, 4_096), (1 << 30, 4_096), (8, 16)] {
            #expect(OpenFiles(limit: limit).gatewayConnections == gateway)
        }
    }

    @Test func `the limit is raised to what the system allows`() {
        var before = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
        OpenFiles.raiseLimit()
        #expect(OpenFiles.now.limit == Int(clamping: before.rlim_max))
    }
}
