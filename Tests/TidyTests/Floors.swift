/// The house: a target imports lower floors only, and of its own floor what `sideways` names.
enum Floors {
    static let floors: [[String]] = [
        ["CLibuv", "CJansson", "CSQLite", "CZlib", "CLLHTTP", "COpenSSL", "CSeccomp", "CGetopt", "CRoost", "RoostABI"],
        ["RoostBasics", "RoostTensors"],
        [
            "RoostLoop", "RoostJSON", "RoostStore", "RoostFiles", "RoostCompression", "RoostHTTP", "RoostELF",
            "RoostChannel",
            "RoostProcess", "RoostSandbox", "RoostPlugins", "RoostShell", "RoostClient",
        ],
        [
            "RoostEvaluation", "RoostFeedback", "RoostFunctions", "RoostTraffic", "RoostScaling", "RoostPool",
            "RoostDelivery", "RoostLoad", "RoostWire",
        ],
        ["RoostInstance", "RoostHost", "RoostBench"],
        ["RoostCommand"],
        ["roost", "roost-instance"],
    ]
    /// What plugin authors see, then the bundled plugins, each row seeing those above it.
    static let plugins: [[String]] = [
        ["RoostABI", "RoostTensors"], ["RoostPlugin", "ModelFiles"], ["LinearModels", "TreeModels"],
        ["linear", "trees"],
    ]

    static let sideways: [String: Set<String>] = [
        "RoostProcess": ["RoostLoop"], "RoostPool": ["RoostScaling"],
        "RoostFunctions": ["RoostEvaluation", "RoostTraffic", "RoostDelivery"],
        "RoostFeedback": ["RoostEvaluation"], "RoostTraffic": ["RoostEvaluation"],
    ]

    /// Files above floor 2 that may write the word `unsafe`: hot kernels, each with its invariant in the file.
    static let hotKernels: Set<String> = [
        "Sources/RoostWire/Bulk/BulkCodec.swift",
        "Sources/RoostWire/Bulk/CSVHeader.swift",
        "Sources/RoostWire/Bulk/RecordScan.swift",
        "Sources/RoostWire/Bulk/RowHash.swift",
        "Sources/RoostWire/Decoding/CSVFields.swift",
        "Sources/RoostWire/Decoding/Complaint.swift",
        "Sources/RoostWire/Decoding/GoldenExample.swift",
        "Sources/RoostWire/Decoding/NameIndex.swift",
        "Sources/RoostWire/Decoding/RequestDecoder+Answers.swift",
        "Sources/RoostWire/Decoding/RequestDecoder.swift",
        "Sources/RoostWire/Encoding/TextBuffer+Elements.swift",
        "Sources/RoostWire/Encoding/TextBuffer.swift",
        "Sources/RoostWire/Encoding/JSONText.swift",
        "Sources/RoostWire/JSON/JSONCursor+Runs.swift",
        "Sources/RoostWire/JSON/JSONCursor+Strings.swift",
        "Sources/RoostWire/JSON/JSONCursor+Values.swift",
        "Sources/RoostWire/JSON/JSONCursor.swift",
        "Sources/RoostWire/Numbers/ExactDecimal.swift",
        "Sources/RoostWire/Numbers/QuickNumber.swift",
        "plugins/LinearModels/LinearModel+Scores.swift",
        "plugins/TreeModels/Forest+Blocks.swift",
        "plugins/TreeModels/Forest+Walk.swift",
        "plugins/TreeModels/RowBlock.swift",
    ]

    static func floor(of target: String) -> Int? { floors.firstIndex { $0.contains(target) } }

    static var all: Set<String> { Set(floors.joined()).union(plugins.joined()) }

    /// Whether `target` may import `other`, both of this package.
    static func mayImport(_ target: String, _ other: String) -> Bool {
        let house = floor(of: target).map { own in floors[..<own].joined().contains(other) } ?? false
        let row = plugins.firstIndex { $0.contains(target) }
        let side = row.map { own in plugins[..<own].joined().contains(other) } ?? false
        return house || side || sideways[target]?.contains(other) == true
    }

    static func mayBeUnsafe(_ file: SourceFile) -> Bool {
        if file.target == "RoostPlugin" { return true }
        if let floor = floor(of: file.target), floor <= 2 { return true }
        return hotKernels.contains(file.path)
    }
}
