// swift-tools-version: 6.2
import PackageDescription

// One row of the house (Docs/Architecture.md): what a module may import, from below only.
// `COMITY_ONLY=pure` declares just the modules that import nothing from outside, so that the inner loop stays short;
// `COMITY_ONLY=MeshStore,MeshLink` declares those, what they stand on, and their tests.
struct Module {
    enum Nature { case pure, plain, border(pkgConfig: String?, apt: String), program }
    let name: String
    let nature: Nature
    let imports: [String]
    let products: [Target.Dependency]
    let hasTests: Bool
    let testImports: [String]

    init(
        _ name: String, _ nature: Nature, on imports: [String] = [], _ products: [Target.Dependency] = [],
        tests: Bool = true, testsOn testImports: [String] = []
    ) {
        self.name = name
        self.nature = nature
        self.imports = imports
        self.products = products
        hasTests = tests
        self.testImports = testImports
    }
}

let protocols = ["MeshDiscovery", "MeshTrust", "MeshAgreements", "MeshGossip", "MeshRouting", "MeshAudit"]
let below = ["MeshBase"] + protocols + ["MeshNode"]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let posix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let http = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let http2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let hpack = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let modules: [Module] = [
    Module("MeshBase", .pure),
    Module("MeshDiscovery", .pure, on: ["MeshBase"]),
    Module("MeshTrust", .pure, on: ["MeshBase"], testsOn: ["MeshSimulator"]),
    Module("MeshAgreements", .pure, on: ["MeshBase"]),
    Module("MeshGossip", .pure, on: ["MeshBase"], testsOn: ["MeshSimulator"]),
    Module("MeshRouting", .pure, on: ["MeshBase"]),
    Module("MeshAudit", .pure, on: ["MeshBase"]),
    Module("MeshNode", .pure, on: ["MeshBase"] + protocols, testsOn: ["MeshSimulator"]),
    Module("MeshWire", .plain, on: ["MeshBase", "MeshRouting", "MeshAudit"], testsOn: below),
    Module("MeshSimulator", .pure, on: below),
    Module("CAvahi", .border(pkgConfig: "avahi-client", apt: "libavahi-client-dev"), tests: false),
    Module("MeshAvahi", .plain, on: ["MeshBase", "CAvahi"]),
    Module("CResolv", .border(pkgConfig: nil, apt: "libc6-dev"), tests: false),
    Module("MeshDNS", .plain, on: ["MeshBase", "MeshDiscovery", "CResolv"]),
    Module("MeshConsul", .plain, on: ["MeshBase", "MeshDiscovery", "MeshWire"], [nio, posix, http, tls, httpClient]),
    Module("MeshCredentials", .plain, on: ["MeshBase", "MeshTrust", "MeshRouting", "MeshWire"], [x509, crypto, asn1]),
    Module("MeshPolicy", .plain, on: ["MeshBase", "MeshNode", "MeshWire"], [nio, posix, http, tls, httpClient]),
    Module("MeshMCP", .plain, on: ["MeshBase", "MeshRouting", "MeshWire"]),
    Module("CChecksum", .border(pkgConfig: nil, apt: "libc6-dev"), tests: false),
    Module("MeshStore", .plain, on: ["MeshBase", "MeshAudit", "MeshWire", "CChecksum"], [grdb]),
    Module("MeshLink", .plain, on: ["MeshBase", "MeshWire"], [nio, posix, tls, nioTLS]),
    Module("MeshGateway", .plain, on: ["MeshBase", "MeshRouting"], [nio, posix, http, http2, hpack]),
    Module("MeshControl", .plain, on: ["MeshBase"], [hummingbird, hummingbirdCore, httpClient, nio, posix, http, logging]),
    Module("MeshTelemetry", .plain, on: ["MeshBase"]),
    Module("CSpawn", .border(pkgConfig: nil, apt: "libc6-dev"), tests: false),
    Module("MeshAgent", .plain,
        on: below + ["MeshWire", "MeshAvahi", "MeshDNS", "MeshConsul", "MeshPolicy", "MeshMCP", "MeshCredentials", "MeshStore", "MeshLink", "MeshGateway", "MeshControl", "MeshTelemetry", "CSpawn"],
        [nio, posix, logging, yams]),
    Module("comity", .program, on: ["MeshBase", "MeshRouting", "MeshControl", "MeshAgent", "MeshSimulator"], [arguments], tests: false),
]

let only = Context.environment["COMITY_ONLY"] ?? "all"

func closure(of names: [String]) -> Set<String> {
    var found = Set<String>()
    var open = names
    while let name = open.popLast() {
        guard found.insert(name).inserted, let module = modules.first(where: { $0.name == name }) else { continue }
        open += module.imports + (asked.contains(name) ? module.testImports : [])
    }
    return found
}

let pureNames = modules.compactMap { module -> String? in
    switch module.nature {
    case .pure: module.name
    case .plain: module.name == "MeshWire" ? module.name : nil
    case .border, .program: nil
    }
}
let asked: [String] =
    only == "pure" ? pureNames : only == "all" ? modules.map(\.name) : only.split(separator: ",").map(String.init)
let wantsIntegration = only == "all" || asked.contains("IntegrationTests")
let declared = closure(of: asked + (wantsIntegration ? ["comity"] : []))
let needsPackages = modules.contains { declared.contains($0.name) && !$0.products.isEmpty }

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
]
// Not above the line: Glibc and other C modules both define `stat`, and a file would need them all to use it.
let visible: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]
// Task, clocks and actors do not exist below the line: the compiler says so (Docs/Architecture.md).
let fence: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-disable-implicit-concurrency-module-import"])]
// The linker that comes with the toolchain takes seconds where the system's takes most of a minute. What is only read stands with
// the code, as the system's has it: `ProgramTrim` lets go of both, and of an agent under load 10 MiB less stay in memory.
let linker: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld", "-Xlinker", "--no-rosegment"])]

var targets: [Target] = []
for module in modules where declared.contains(module.name) {
    let dependencies = module.imports.map { Target.Dependency(stringLiteral: $0) } + module.products
    switch module.nature {
    case .pure: targets.append(.target(name: module.name, dependencies: dependencies, swiftSettings: strict + visible + fence))
    case .plain: targets.append(.target(name: module.name, dependencies: dependencies, swiftSettings: strict))
    case .border(let pkgConfig, let apt):
        targets.append(.systemLibrary(name: module.name, pkgConfig: pkgConfig, providers: [.apt([apt])]))
    case .program:
        targets.append(
            .executableTarget(
                name: module.name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linker))
    }
    if module.hasTests && asked.contains(module.name) {
        targets.append(
            .testTarget(
                name: module.name + "Tests",
                dependencies: [Target.Dependency(stringLiteral: module.name)] + dependencies
                    + module.testImports.filter { !module.imports.contains($0) }
                        .map { Target.Dependency(stringLiteral: $0) },
                swiftSettings: strict, linkerSettings: linker))
    }
}
// The house's own rules, read from its sources: no module is imported, so it is declared wherever the pure ones are.
if only == "all" || only == "pure" || asked.contains("TidyTests") {
    targets.append(.testTarget(name: "TidyTests", swiftSettings: strict))
}
// Whole agents on real sockets, and the program itself: `comity` is built beside it, because tests run and kill it.
if wantsIntegration {
    let own = below + ["MeshWire", "MeshCredentials", "MeshStore", "MeshLink", "MeshControl", "MeshAgent"]
    targets.append(
        .testTarget(
            name: "IntegrationTests",
            dependencies: own.map { Target.Dependency(stringLiteral: $0) }
                + [nio, posix, http, x509, crypto, asn1, httpClient, logging, grdb],
            swiftSettings: strict))
}

// Readers of bytes that others wrote, and what must hold of each (Docs/Testing.md): a folder for each group of modules,
// declared where they are. `COMITY_FUZZ` puts the program for libFuzzer in the place of the tests (Scripts/fuzz).
let fuzzParts: [(folder: String, needs: [String], products: [Target.Dependency])] = [
    ("Wire", ["MeshWire"], []),
    ("Documents", ["MeshWire", "MeshNode"], []),
    ("MeshLink", ["MeshLink"], [nio]),
    ("MeshCredentials", ["MeshCredentials"], [x509, crypto, asn1]),
    ("MeshStore", ["MeshStore"], [grdb]),
    ("MeshAvahi", ["MeshAvahi"], []),
    ("MeshDNS", ["MeshDNS"], []),
    ("MeshConsul", ["MeshConsul"], []),
    ("MeshPolicy", ["MeshPolicy", "MeshNode"], []),
    ("MeshMCP", ["MeshMCP"], []),
    ("MeshGateway", ["MeshGateway"], [nio, hpack]),
    ("MeshControl", ["MeshControl"], [nio]),
    ("MeshAgent", ["MeshAgent"], []),
]
let wantsFuzzer = Context.environment["COMITY_FUZZ"] != nil
if only == "all" || only == "pure" || asked.contains("FuzzTargets") || wantsFuzzer {
    let parts = fuzzParts.filter { $0.needs.allSatisfy(declared.contains) }
    let needs = closure(of: parts.flatMap(\.needs)).sorted().map { Target.Dependency(stringLiteral: $0) }
    targets.append(
        .target(
            name: "FuzzTargets", dependencies: needs + parts.flatMap(\.products), path: "Tests/FuzzTargets",
            sources: ["Kernel"] + parts.map(\.folder),
            swiftSettings: strict + parts.map { .define("FUZZ_\($0.folder)") }))
    if wantsFuzzer {
        targets.append(
            .executableTarget(
                name: "comity-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer",
                swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
    } else {
        targets.append(.testTarget(name: "FuzzTargetTests", dependencies: ["FuzzTargets"], swiftSettings: strict))
    }
}

// The modules are nobody's library: only Benchmarks/, a package of its own, may import them (Docs/Decisions/0017).
let isMeasured = Context.environment["COMITY_BENCHMARKS"] != nil
let offered: [Product] = modules.compactMap { module in
    guard isMeasured, declared.contains(module.name) else { return nil }
    return switch module.nature {
    case .pure, .plain: .library(name: module.name, targets: [module.name])
    case .program: .executable(name: module.name, targets: [module.name])
    case .border: nil
    }
}

let package = Package(
    name: "comity",
    products: offered,
    dependencies: !needsPackages
        ? []
        : [
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
            .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
            .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
            .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
            .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
            .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
            .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
            .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
            .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        ],
    targets: targets
)
