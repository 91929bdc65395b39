// swift-tools-version: 6.2
import PackageDescription

/// A plugin like those that `scripts/new-plugin` makes, with the engine of `plugins/trees` in it.
func plugin(_ name: String) -> Target {
    .target(
        name: name,
        dependencies: [
            .product(name: "RoostPlugin", package: "roost"), .product(name: "TreeModels", package: "roost"),
        ],
        swiftSettings: [
            .unsafeFlags([
                "-Xfrontend", "-disable-implicit-concurrency-module-import",
                "-Xfrontend", "-disable-implicit-string-processing-module-import",
            ])
        ],
        linkerSettings: [
            .unsafeFlags([
                "-Xlinker",
                "--version-script=\(Context.packageDirectory)/../../../scripts/plugin-template/exports.map",
            ])
        ])
}

let package = Package(
    name: "variants",
    products: [
        .library(name: "crashing", type: .dynamic, targets: ["crashing"]),
        .library(name: "slow", type: .dynamic, targets: ["slow"]),
    ],
    dependencies: [.package(name: "roost", path: "../../..")],
    targets: [plugin("crashing"), plugin("slow")],
    swiftLanguageModes: [.v6]
)
