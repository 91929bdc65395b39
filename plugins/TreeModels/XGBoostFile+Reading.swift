import ModelFiles
import RoostPlugin

extension XGBoostFile {
    /// Reads a model file, JSON or UBJSON by content.
    /// Throws `ModelError.notMyFormat` for what XGBoost did not write, `DocumentError` for what is wrong in it.
    init(_ bytes: Span<UInt8>) throws {
        guard var reader = DocumentReader(bytes) else { throw Self.refusal(bytes) }
        var isXGBoost = false
        do {
            try reader.object { key, reader throws(DocumentError) in
                switch key {
                case "learner":
                    isXGBoost = true
                    try readLearner(&reader)
                case "version": version = try reader.integers(in: 0...1_000_000)
                default: try reader.skip()
                }
            }
            try reader.end()
        } catch {
            throw isXGBoost ? error : ModelError.notMyFormat("not a model file of XGBoost: \(error)") as any Error
        }
        guard isXGBoost else { throw ModelError.notMyFormat("not a model file of XGBoost: it has no key \"learner\"") }
    }

    /// XGBoost's own binary format begins with `binf`, or with nothing at all: only the former can be told.
    private static func refusal(_ bytes: Span<UInt8>) -> ModelError {
        let magic = Array("binf".utf8)
        guard bytes.count > magic.count, magic.indices.allSatisfy({ bytes[$0] == magic[$0] }) else {
            return .notMyFormat("not a model file of XGBoost: neither JSON nor UBJSON")
        }
        return .failed(
            "a model in XGBoost's old binary format, which XGBoost gave up: "
                + "load it with the XGBoost that wrote it and save it as .ubj or .json")
    }

    private mutating func readLearner(_ reader: inout DocumentReader) throws(DocumentError) {
        try reader.object { key, reader throws(DocumentError) in
            switch key {
            case "attributes": attributes = try reader.texts()
            case "feature_names": featureNames = try reader.strings()
            case "feature_types": featureTypes = try reader.strings()
            case "learner_model_param": learner = try reader.texts()
            case "gradient_booster": try booster.read(&reader)
            case "objective": try readObjective(&reader)
            default: throw Self.unknown(key)
            }
        }
    }

    private mutating func readObjective(_ reader: inout DocumentReader) throws(DocumentError) {
        try reader.object { key, reader throws(DocumentError) in
            // The rest are parameters of training.
            if key == "name" { objective = try reader.string() } else { try reader.skip() }
        }
    }

    /// What we do not know might change the answer.
    static func unknown(_ key: String) -> DocumentError {
        DocumentError("the key \"\(key.prefix(80))\" is unknown: written by an XGBoost newer than 3.x?")
    }
}

extension XGBoostBooster {
    fileprivate mutating func read(_ reader: inout DocumentReader) throws(DocumentError) {
        try reader.object { key, reader throws(DocumentError) in
            switch key {
            case "name": name = try reader.string()
            case "model": try readModel(&reader)
            // Boosters other than gbtree have other keys; the name says so later, in better words.
            default: try reader.skip()
            }
        }
    }

    private mutating func readModel(_ reader: inout DocumentReader) throws(DocumentError) {
        try reader.object { key, reader throws(DocumentError) in
            switch key {
            case "gbtree_model_param": parameters = try reader.texts()
            case "iteration_indptr": iterationStarts = try reader.integers(in: 0...Int(Int32.max))
            case "tree_info": treeOutputs = try reader.integers(in: 0...Int(Int32.max))
            case "trees": trees = try reader.list { reader throws(DocumentError) in try XGBoostTree(&reader) }
            case "cats": hasCategories = try reader.containsElements()
            // gblinear's.
            case "weights", "boosted_rounds": try reader.skip()
            default: throw XGBoostFile.unknown(key)
            }
        }
    }
}

extension XGBoostTree {
    fileprivate init(_ reader: inout DocumentReader) throws(DocumentError) {
        let node = -1...Int(Int32.max)
        try reader.object { key, reader throws(DocumentError) in
            switch key {
            case "left_children": left = try reader.integers(in: node)
            case "right_children": right = try reader.integers(in: node)
            case "split_indices": features = try reader.integers(in: 0...Int(UInt32.max))
            case "split_conditions": conditions = try reader.floats()
            case "default_left": defaultsLeft = try reader.integers(in: 0...1)
            case "split_type": hasCategoricalSplits = try reader.integers(in: 0...255).contains { $0 != 0 }
            case "tree_param": parameters = try reader.texts()
            // Facts about training, and the tables of categorical splits, which split_type announces.
            case "base_weights", "categories", "categories_nodes", "categories_segments", "categories_sizes", "id",
                "leaf_weights", "loss_changes", "parents", "sum_hessian":
                try reader.skip()
            default: throw XGBoostFile.unknown(key)
            }
        }
    }
}

extension DocumentReader {
    /// An object of texts.
    fileprivate mutating func texts() throws(DocumentError) -> [String: String] {
        var texts: [String: String] = [:]
        try object { key, reader throws(DocumentError) in texts[key] = try reader.string() }
        return texts
    }

    /// Reads anything; whether there is an element in any array of it.
    fileprivate mutating func containsElements() throws(DocumentError) -> Bool {
        var found = false
        switch try peek() {
        case .object:
            try object { _, reader throws(DocumentError) in
                if try reader.containsElements() { found = true }
            }
        case .array:
            try array { _, reader throws(DocumentError) in
                found = true
                try reader.skip()
            }
        case .string, .number, .bool, .null: try skip()
        }
        return found
    }
}
