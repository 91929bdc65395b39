// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 mode with every check on: what the compiler can prove, no reviewer has to.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
]
/// For the few targets whose own types lend spans: the annotation has no stable spelling yet.
let lending = strict + [.enableExperimentalFeature("Lifetimes")]
/// For what runs on the loop for every request: tests check for overlapping accesses while they run, the release
/// build does not again; a third of the gateway's instructions were these checks.
let hot: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

/// Swift targets of one floor: they may import lower floors, and what they name here.
func swift(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

/// A thin C target around one system library.
func wrapC(_ name: String, links library: String? = nil, settings: [CSetting] = []) -> Target {
    .target(
        name: name, cSettings: strictC + settings,
        linkerSettings: library.map { [.linkedLibrary($0)] } ?? [])
}

/// A bundled plugin: a shared object that exports one symbol and nothing else.
func plugin(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["RoostPlugin"] + dependencies, path: "plugins/\(name)",
        swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/plugins/exports.map"])
        ])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "roost",
    products: [
        .executable(name: "roost", targets: ["roost"]),
        .executable(name: "roost-instance", targets: ["roost-instance"]),
        .library(name: "RoostPlugin", type: .static, targets: ["RoostPlugin"]),
        .library(name: "RoostHost", targets: ["RoostHost"]),  // for Benchmarks
        .library(name: "linear", type: .dynamic, targets: ["linear"]),
        .library(name: "trees", type: .dynamic, targets: ["trees"]),
    ],
    targets: [
        // Floor 0: C.
        wrapC("CLibuv", links: "uv"),
        wrapC("CJansson", links: "jansson"),
        wrapC("CSQLite", links: "sqlite3"),
        wrapC("CLLHTTP", settings: [.define("LLHTTP_STRICT_MODE", to: "1")]),
        wrapC("COpenSSL", links: "crypto"),
        wrapC("CSeccomp", links: "seccomp"),
        wrapC("CRoost", settings: [.define("_GNU_SOURCE")]),
        wrapC("RoostABI"),
        // Floor 1: words.
        swift("RoostBasics", [], settings: lending),
        swift("RoostTensors", []),
        // Floor 2: wraps.
        swift("RoostLoop", ["CLibuv", "RoostBasics"], settings: strict + hot),
        swift("RoostJSON", ["CJansson", "RoostBasics"]),
        swift("RoostStore", ["CSQLite", "RoostBasics"]),
        swift("RoostHTTP", ["CLLHTTP", "RoostBasics"], settings: lending + hot),
        swift("RoostELF", ["COpenSSL", "RoostABI", "RoostBasics"]),
        swift("RoostChannel", ["CRoost", "RoostBasics"]),
        swift("RoostProcess", ["CRoost", "RoostBasics", "RoostLoop", "RoostChannel"]),
        swift("RoostSandbox", ["CRoost", "CSeccomp", "RoostBasics"]),
        swift("RoostPlugins", ["CRoost", "RoostABI", "RoostBasics", "RoostTensors"]),
        // Floor 3: minds and formats.
        swift("RoostFunctions", ["RoostBasics", "RoostTensors", "RoostJSON"]),
        swift("RoostTraffic", ["RoostBasics"]),
        swift("RoostPool", ["RoostBasics"]),
        swift("RoostWire", ["RoostBasics", "RoostTensors"]),
        // Floor 4: bodies.
        swift("RoostInstance", [
            "CRoost", "RoostBasics", "RoostTensors", "RoostChannel", "RoostSandbox", "RoostPlugins", "RoostWire",
        ]),
        swift("RoostHost", [
            "RoostBasics", "RoostTensors", "RoostLoop", "RoostJSON", "RoostStore", "RoostHTTP", "RoostELF",
            "RoostChannel", "RoostProcess", "RoostFunctions", "RoostTraffic", "RoostPool",
        ], settings: strict + hot),
        // Floor 5: doors.
        .executableTarget(name: "roost", dependencies: ["RoostHost"], swiftSettings: strict),
        .executableTarget(name: "roost-instance", dependencies: ["RoostInstance"], swiftSettings: strict),
        // Plugin side.
        swift("RoostPlugin", ["RoostABI", "RoostTensors"]),
        plugin("linear"),
        plugin("trees"),
        // Tests.
        tests("RoostBasics", ["RoostBasics"]),
        tests("RoostLoop", ["RoostBasics", "RoostLoop"]),
        tests("RoostHTTP", ["RoostBasics", "RoostHTTP"]),
        tests("RoostHost", ["RoostBasics", "RoostHTTP", "RoostLoop", "RoostHost"]),
    ],
    swiftLanguageModes: [.v6]
)
