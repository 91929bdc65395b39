// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 mode with every check on: what the compiler can prove, no reviewer has to.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // The annotation of what a span borrows has no stable spelling yet.
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
]
/// For what runs on the loop for every request: tests check for overlapping accesses while they run, the release
/// build does not again; a third of the gateway's instructions were these checks.
/// Small functions are inlined across modules.
let hot: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release))
]
/// For what runs in templates and instances: each library that they link without using it is four mappings more to
/// copy in every fork, a seventh of its time for the two that the compiler imports by itself.
let lean: [SwiftSetting] = [
    .unsafeFlags([
        "-Xfrontend", "-disable-implicit-concurrency-module-import",
        "-Xfrontend", "-disable-implicit-string-processing-module-import",
    ])
]
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

/// Hides all symbols of a plugin but its entry.
let exportsMap = "\(Context.packageDirectory)/scripts/plugin-template/exports.map"

/// A bundled plugin: a shared object that exports one symbol and nothing else.
func plugin(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["RoostPlugin"] + dependencies, path: "plugins/\(name)",
        swiftSettings: strict + lean,
        linkerSettings: [
            .unsafeFlags(["-Xlinker", "--version-script=\(exportsMap)"])
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
        .library(name: "TreeModels", targets: ["TreeModels"]),  // for functions/cancer/variants
        .library(name: "RoostHost", targets: ["RoostHost"]),  // for Benchmarks
        .library(name: "RoostInstance", targets: ["RoostInstance"]),  // for Benchmarks
        .library(name: "RoostScaling", targets: ["RoostBasics", "RoostScaling"]),  // for Benchmarks
        .library(name: "RoostPool", targets: ["RoostBasics", "RoostPool"]),  // for Benchmarks
        .library(  // for Benchmarks
            name: "RoostTraffic", targets: ["RoostBasics", "RoostJSON", "RoostEvaluation", "RoostTraffic"]),
        .library(name: "Fuzzing", type: .static, targets: ["Fuzzing"]),  // for scripts/fuzz
        .library(name: "linear", type: .dynamic, targets: ["linear"]),
        .library(name: "trees", type: .dynamic, targets: ["trees"]),
    ],
    targets: [
        // Floor 0: C.
        wrapC("CLibuv", links: "uv"),
        wrapC("CJansson", links: "jansson"),
        wrapC("CSQLite", links: "sqlite3"),
        wrapC("CZlib", links: ":libz.a"),  // the archive, as for libseccomp
        wrapC("CLLHTTP", settings: [.define("LLHTTP_STRICT_MODE", to: "1")]),
        wrapC("COpenSSL", links: "crypto"),
        wrapC("CSeccomp", links: ":libseccomp.a"),  // the archive: a library is six mappings more in every fork
        wrapC("CRoost", settings: [.define("_GNU_SOURCE")]),
        wrapC("CGetopt", settings: [.define("_GNU_SOURCE")]),
        wrapC("RoostABI"),
        // Floor 1: words.
        swift("RoostBasics", [], settings: strict + lean + hot),
        swift("RoostTensors", [], settings: strict + lean),
        // Floor 2: wraps.
        swift("RoostLoop", ["CLibuv", "RoostBasics"], settings: strict + hot),
        swift("RoostJSON", ["CJansson", "RoostBasics"]),
        swift("RoostStore", ["CSQLite", "RoostBasics"]),
        swift("RoostCompression", ["CZlib", "RoostBasics"], settings: strict + lean),
        swift("RoostFiles", ["CRoost", "RoostBasics"]),
        swift("RoostHTTP", ["CLLHTTP", "RoostBasics"], settings: strict + hot),
        swift("RoostELF", ["COpenSSL", "RoostABI", "RoostBasics"]),
        swift("RoostChannel", ["CRoost", "RoostBasics"], settings: strict + lean + hot),
        swift("RoostProcess", ["CRoost", "CSeccomp", "RoostBasics", "RoostLoop"]),
        swift("RoostSandbox", ["CRoost", "CSeccomp", "RoostBasics"], settings: strict + lean),
        swift("RoostPlugins", ["CRoost", "RoostABI", "RoostBasics", "RoostTensors"], settings: strict + lean + hot),
        swift("RoostShell", ["CGetopt", "RoostBasics"]),
        swift("RoostClient", ["RoostBasics"]),
        // Floor 3: minds and formats.
        swift("RoostEvaluation", ["RoostBasics", "RoostTensors", "RoostJSON"], settings: strict + hot),
        swift(
            "RoostFunctions",
            ["RoostBasics", "RoostTensors", "RoostJSON", "RoostEvaluation", "RoostTraffic", "RoostDelivery"]),
        swift("RoostFeedback", ["RoostBasics", "RoostJSON", "RoostEvaluation"]),
        swift("RoostTraffic", ["RoostBasics", "RoostJSON", "RoostEvaluation"], settings: strict + hot),
        swift("RoostScaling", ["RoostBasics"], settings: strict + hot),
        swift("RoostDelivery", ["RoostBasics", "RoostJSON"]),
        swift("RoostPool", ["RoostBasics", "RoostScaling"], settings: strict + hot),
        swift("RoostLoad", ["RoostBasics", "RoostTensors"], settings: strict + hot),
        swift("RoostWire", ["RoostBasics", "RoostTensors"], settings: strict + lean + hot),
        // Floor 4: bodies.
        swift(
            "RoostInstance",
            [
                "CRoost", "RoostBasics", "RoostTensors", "RoostChannel", "RoostSandbox", "RoostPlugins", "RoostWire",
                "RoostCompression",
            ], settings: strict + lean + hot),
        swift(
            "RoostHost",
            [
                "RoostBasics", "RoostTensors", "RoostLoop", "RoostJSON", "RoostStore", "RoostFiles", "RoostHTTP",
                "RoostELF", "RoostChannel", "RoostProcess", "RoostFunctions", "RoostTraffic", "RoostPool",
                "RoostScaling", "RoostFeedback", "RoostEvaluation", "RoostClient", "RoostCompression", "RoostDelivery",
                "RoostWire",
            ], settings: strict + hot),
        swift("RoostBench", ["RoostBasics", "RoostLoop", "RoostClient", "RoostLoad"], settings: strict + hot),
        // Floor 5: doors.
        swift(
            "RoostCommand",
            [
                "RoostBasics", "RoostTensors", "RoostJSON", "RoostFiles", "RoostELF", "RoostClient", "RoostShell",
                "RoostFunctions", "RoostLoad", "RoostBench", "RoostEvaluation", "RoostDelivery",
            ]),
        .executableTarget(
            name: "roost",
            dependencies: [
                "RoostBasics", "RoostCommand", "RoostDelivery", "RoostEvaluation", "RoostFiles", "RoostFunctions",
                "RoostHost", "RoostJSON", "RoostShell",
            ],
            swiftSettings: strict),
        .executableTarget(name: "roost-instance", dependencies: ["RoostInstance"], swiftSettings: strict + lean),
        // Plugin side.
        swift("RoostPlugin", ["RoostABI", "RoostTensors"], settings: strict + lean),
        swift("ModelFiles", [], path: "plugins/ModelFiles", settings: strict + lean),
        swift(
            "LinearModels", ["RoostPlugin", "RoostTensors", "ModelFiles"], path: "plugins/LinearModels",
            settings: strict + lean),
        swift("TreeModels", ["RoostPlugin", "ModelFiles"], path: "plugins/TreeModels", settings: strict + lean),
        plugin("linear", ["LinearModels"]),
        plugin("trees", ["TreeModels"]),
        // Tests.
        tests("RoostBasics", ["RoostBasics"]),
        tests("RoostFiles", ["RoostBasics", "RoostFiles"]),
        tests("RoostStore", ["RoostStore"]),
        tests("RoostPool", ["RoostBasics", "RoostPool", "RoostScaling"]),
        tests("RoostDelivery", ["RoostDelivery", "RoostBasics", "RoostJSON"]),
        tests("RoostScaling", ["RoostBasics", "RoostScaling"]),
        tests("RoostChannel", ["CRoost", "RoostBasics", "RoostChannel"]),
        tests("RoostLoop", ["RoostBasics", "RoostLoop"]),
        tests("RoostJSON", ["RoostJSON", "RoostBasics"]),
        tests("RoostShell", ["RoostShell"]),
        tests("RoostClient", ["RoostBasics", "RoostClient"]),
        tests("RoostLoad", ["RoostBasics", "RoostTensors", "RoostLoad"]),
        tests("RoostBench", ["RoostBasics", "RoostBench", "RoostClient", "RoostLoad", "RoostLoop"]),
        tests(
            "RoostCommand",
            ["RoostBasics", "RoostCommand", "RoostEvaluation", "RoostJSON", "RoostLoad", "RoostShell", "RoostTensors"]),
        tests("Tidy", []),
        tests("RoostELF", ["RoostELF", "RoostABI", "RoostBasics"]),
        tests("RoostCompression", ["RoostCompression", "RoostBasics"]),
        tests("RoostFeedback", ["RoostFeedback", "RoostBasics", "RoostEvaluation"]),
        tests("RoostEvaluation", ["RoostEvaluation", "RoostBasics", "RoostTensors"]),
        tests(
            "RoostFunctions",
            [
                "RoostFunctions", "RoostTraffic", "RoostDelivery", "RoostBasics", "RoostEvaluation", "RoostTensors",
                "RoostJSON",
            ]),
        tests("RoostTensors", ["RoostTensors"]),
        tests("RoostWire", ["RoostBasics", "RoostTensors", "RoostWire"]),
        tests("RoostTraffic", ["RoostTraffic", "RoostBasics", "RoostJSON", "RoostEvaluation"]),
        tests("RoostHTTP", ["RoostBasics", "RoostHTTP"]),
        tests("RoostProcess", ["CRoost", "RoostProcess", "RoostLoop", "RoostBasics", "process-fixture"]),
        // Both sides of the process model in one program, with a test's way of serving.
        .executableTarget(
            name: "process-fixture",
            dependencies: [
                "CRoost", "RoostProcess", "RoostInstance", "RoostPlugins", "RoostLoop", "RoostBasics", "RoostTensors",
            ],
            path: "Tests/ProcessFixture", swiftSettings: strict),
        .target(
            name: "PluginTesting", dependencies: ["RoostABI", "RoostBasics", "RoostPlugin"],
            path: "Tests/PluginTesting",
            swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault"), .treatAllWarnings(as: .error)]),
        // What bytes from outside reach, as functions of bytes: libFuzzer calls them, and the tests replay its corpora.
        .target(
            name: "Fuzzing",
            dependencies: [
                "CRoost", "RoostBasics", "RoostTensors", "RoostLoop", "RoostJSON", "RoostCompression", "RoostHTTP",
                "RoostELF", "RoostChannel", "RoostProcess", "RoostEvaluation", "RoostFunctions", "RoostFeedback",
                "RoostDelivery", "RoostWire", "RoostPlugin", "ModelFiles", "LinearModels", "TreeModels",
                "PluginTesting",
            ],
            path: "Tests/Fuzzing", exclude: ["corpora"],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
                .treatAllWarnings(as: .error),
                // With the instruments of libFuzzer in it, optimising this takes minutes, and what it calls is optimised.
                .unsafeFlags(["-Onone"], .when(configuration: .release)),
            ]),
        tests("Fuzzing", ["Fuzzing", "PluginTesting", "RoostBasics"]),
        tests("RoostPlugin", ["RoostABI", "RoostPlugin", "PluginTesting"]),
        tests("ModelFiles", ["ModelFiles", "RoostBasics", "PluginTesting"]),
        tests("LinearModels", ["LinearModels", "RoostBasics", "RoostPlugin", "PluginTesting"]),
        tests("TreeModels", ["TreeModels", "RoostBasics", "RoostPlugin", "PluginTesting"]),
        tests(
            "RoostHost",
            [
                "RoostBasics", "RoostChannel", "RoostEvaluation", "RoostFeedback", "RoostFiles", "RoostFunctions",
                "RoostHTTP", "RoostHost", "RoostLoop", "RoostTraffic",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
