import Foundation
import Testing

@Suite struct FloorTests {
    private struct Manifest: Decodable {
        struct Target: Decodable {
            let name: String
            let path: String
            let dependencies: [String]?

            enum CodingKeys: String, CodingKey {
                case name, path
                case dependencies = "target_dependencies"
            }
        }
        let targets: [Target]
    }

    /// With a scratch folder of its own: the running `swift test` holds the lock of the usual one.
    private func targets() throws -> [Manifest.Target] {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "roost-tidy-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let (code, output, said) = try Repository.run(
            "swift", ["package", "--scratch-path", scratch.path, "describe", "--type", "json"])
        try #require(code == 0, "\(said)")
        return try JSONDecoder().decode(Manifest.self, from: output).targets
    }

    private func imports(of target: String) -> [(file: String, module: String)] {
        Repository.product.filter { $0.target == target && $0.isSwift }.flatMap { file in
            file.text.matches(
                of: #/(?m)^(?:@\w+ )*(?:public |internal |private |fileprivate |package )?import (?:\w+ )?([\w]+)/#
            )
            .map { (file.path, String($0.1)) }
        }
    }

    @Test func everyTargetHasItsFloorAndImportsOnlyLowerOnes() throws {
        let targets = try targets().filter { !$0.path.hasPrefix("Tests/") }
        #expect(Set(targets.map(\.name)) == Floors.all, "Floors.swift lists the targets of Package.swift")
        for target in targets {
            let declared = Set(target.dependencies ?? [])
            for other in declared.sorted() {
                #expect(Floors.mayImport(target.name, other), "\(target.name) may not depend on \(other)")
            }
            let imported = imports(of: target.name).filter { Floors.all.contains($0.module) }
            for (file, module) in imported {
                #expect(declared.contains(module), "\(file) imports \(module), which Package.swift does not give it")
            }
            guard !imports(of: target.name).isEmpty else { continue }
            for unused in declared.subtracting(imported.map(\.module)).sorted() {
                Issue.record("\(target.name) depends on \(unused) and never imports it")
            }
        }
    }

    @Test func floorsTwoAndBelowAloneAreUnsafe() {
        for file in Repository.product where file.isSwift && !Floors.mayBeUnsafe(file) {
            let places = file.places(of: #/\bunsafe\b|\bUnsafe/#, near: ["unsafe", "Unsafe"])
                .filter { !$0.contains("@c(roost_plugin_entry)") }  // the one line by which a plugin is exported
            if let first = places.first { Issue.record("\(places.count) unsafe lines, the first: \(first)") }
        }
        for kernel in Floors.hotKernels.subtracting(Repository.product.map(\.path)) {
            Issue.record("\(kernel) is on the list of hot kernels and does not exist")
        }
    }

    @Test func nothingInTheProductImportsFoundation() {
        for file in Repository.product where file.isSwift {
            for place in file.places(
                of: #/\bimport (\w+ )?(Foundation|FoundationEssentials|Dispatch)\b/#, near: ["Foundation", "Dispatch"])
            {
                Issue.record("\(place)")
            }
        }
    }
}
