// swift-tools-version: 6.2
import PackageDescription

// What the parts of Comity cost, beside baselines (README.md). A package of its own, so that nothing of the product can
// lean on it. Built by Scripts/benchmark, which sets COMITY_BENCHMARKS: only then does the product offer its modules.
// With `COMITY_ONLY=pure` only what needs no package from outside is declared and built, as in ../Package.swift.
struct Part {
    let folder: String
    let modules: [String]
    let products: [Target.Dependency]
    let isPure: Bool
}

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let posix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let protocols = ["MeshDiscovery", "MeshTrust", "MeshAgreements", "MeshGossip", "MeshRouting", "MeshAudit"]
let below = ["MeshBase"] + protocols + ["MeshNode"]

let parts = [
    Part(folder: "Machines", modules: below + ["MeshSimulator"], products: [], isPure: true),
    Part(
        folder: "Reconciliation",
        modules: ["MeshBase", "MeshGossip", "MeshNode", "MeshWire", "MeshSimulator"],
        products: [],
        isPure: true),
    Part(
        folder: "Mesh", modules: ["MeshBase", "MeshNode", "MeshWire", "MeshSimulator"], products: [],
        isPure: true),
    Part(folder: "Insiders", modules: ["MeshBase", "MeshSimulator"], products: [], isPure: true),
    Part(folder: "Codecs", modules: below + ["MeshWire"], products: [], isPure: true),
    Part(
        folder: "Journal", modules: ["MeshBase", "MeshAudit", "MeshWire", "MeshStore"], products: [],
        isPure: false),
    Part(
        folder: "Handshakes",
        modules: ["MeshBase", "MeshTrust", "MeshNode", "MeshWire", "MeshCredentials", "MeshLink"],
        products: [crypto, nio, posix], isPure: false),
    Part(
        folder: "Sealing", modules: ["MeshBase", "MeshRouting", "MeshWire", "MeshCredentials"], products: [],
        isPure: false),
    // The program itself, built beside: two of it are started, as a user would.
    Part(
        folder: "Calls", modules: [], products: [.product(name: "comity", package: "comity")], isPure: false),
    Part(
        folder: "Floods",
        modules: [
            "MeshBase", "MeshTrust", "MeshGossip", "MeshRouting", "MeshNode", "MeshWire", "MeshCredentials",
            "MeshLink",
        ],
        products: [nio, posix], isPure: false),
]

let isPure = Context.environment["COMITY_ONLY"] == "pure"
let chosen = parts.filter { $0.isPure || !isPure }
let modules = Set(chosen.flatMap(\.modules)).sorted().map {
    Target.Dependency.product(name: $0, package: "comity")
}

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "comity", path: "..")]
        + (isPure
            ? []
            : [
                .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
                .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
            ]),
    targets: [
        .target(name: "CAllocations"),
        .executableTarget(
            name: "comity-benchmarks",
            dependencies: ["CAllocations"] + modules + chosen.flatMap(\.products), path: "Sources/Benchmarks",
            exclude: isPure ? parts.filter { !$0.isPure }.map(\.folder) : [],
            sources: ["Kit"] + chosen.map(\.folder),
            swiftSettings: strict + (isPure ? [] : [.define("SHELLS")])),
    ]
)
