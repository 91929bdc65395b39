// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
]

/// What measures, apart from the product, so that the product never depends on it.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "roost", path: "..")],
    targets: [
        .executableTarget(
            name: "gateway-alone", dependencies: [.product(name: "RoostHost", package: "roost")],
            swiftSettings: strict),
        .executableTarget(
            name: "instance-alone", dependencies: [.product(name: "RoostInstance", package: "roost")],
            swiftSettings: strict),
        .executableTarget(
            name: "ring-soak", dependencies: [.product(name: "RoostInstance", package: "roost")],
            swiftSettings: strict),
        .executableTarget(
            name: "cache-simulator",
            dependencies: [.product(name: "RoostScaling", package: "roost")], path: "CacheSimulator",
            swiftSettings: strict),
        .executableTarget(
            name: "autoscaler-simulator",
            dependencies: [.product(name: "RoostPool", package: "roost")], path: "AutoscalerSimulator",
            swiftSettings: strict),
        .executableTarget(
            name: "rollout-simulator",
            dependencies: [.product(name: "RoostTraffic", package: "roost")], path: "RolloutSimulator",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
