/// The house: a target imports lower floors only, and of its own floor what `sideways` names.
enum Floors {
    static let floors: [[String]] = [
        ["CLibuv", "CJansson", "CSQLite", "CLLHTTP", "COpenSSL", "CSeccomp", "CGetopt", "CRoost", "RoostABI"],
        ["RoostBasics", "RoostTensors"],
        [
            "RoostLoop", "RoostJSON", "RoostStore", "RoostFiles", "RoostHTTP", "RoostELF", "RoostChannel",
            "RoostProcess", "RoostSandbox", "RoostPlugins", "RoostShell", "RoostClient",
        ],
        ["RoostFunctions", "RoostTraffic", "RoostPool", "RoostWire"],
        ["RoostInstance", "RoostHost"],
        ["RoostCommand"],
        ["roost", "roost-instance"],
    ]
    /// Beside the house: what plugin authors see, the bundled plugins, and what only tests use.
    static let aside = ["RoostPlugin": ["RoostABI", "RoostTensors"], "RoostTesting": []]
    static let plugins = ["linear", "trees"]
    static let ofPlugins = ["RoostPlugin", "RoostTensors"]

    static let sideways: [String: Set<String>] = ["RoostProcess": ["RoostLoop", "RoostChannel"]]

    /// Files above floor 2 that may write the word `unsafe`: hot kernels, each with its invariant in the file.
    static let hotKernels: Set<String> = []

    static func floor(of target: String) -> Int? { floors.firstIndex { $0.contains(target) } }

    static var all: Set<String> { Set(floors.joined()).union(aside.keys).union(plugins) }

    /// Whether `target` may import `other`, both of this package.
    static func mayImport(_ target: String, _ other: String) -> Bool {
        if let allowed = aside[target] { return allowed.contains(other) }
        if plugins.contains(target) { return ofPlugins.contains(other) }
        guard let own = floor(of: target), let theirs = floor(of: other) else { return false }
        return theirs < own || sideways[target]?.contains(other) == true
    }

    static func mayBeUnsafe(_ file: SourceFile) -> Bool {
        if file.target == "RoostPlugin" || file.target == "RoostTesting" { return true }
        if let floor = floor(of: file.target), floor <= 2 { return true }
        return hotKernels.contains(file.path)
    }
}
