import Foundation
import PluginTesting
import TreeModels

/// A model that a release of XGBoost saved, and what that release predicts with it
/// (Tests/fixtures/xgboost/make.py).
struct Fixture: Decodable {
    let file: String
    let columns: [String]
    private let rows: [Float?]
    let margins: [Float]
    let predictions: [Float]

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "fixtures/xgboost")

    init(_ name: String) throws {
        let text = try Data(contentsOf: Self.folder.appending(path: "\(name).expected"))
        self = try JSONDecoder().decode(Self.self, from: text)
    }

    /// Missing values are NaN.
    var features: [Float] { rows.map { $0 ?? .nan } }
    var rowCount: Int { rows.count / columns.count }
    func bytes() throws -> [UInt8] { Array(try Data(contentsOf: Self.folder.appending(path: file))) }
    func load() throws -> TestHost { try TestHost(TreesModel.self, try bytes()) }

    func predict(with host: TestHost) throws -> [Int: TestHost.Output] {
        try host.predict(features, shape: [rowCount, columns.count])
    }

    func baseScore() throws -> String {
        let document = Tree(try JSONSerialization.jsonObject(with: Data(try bytes())))
        return document["learner", "learner_model_param", "base_score"] as? String ?? ""
    }

    /// The logistic margin of the base score.
    func baseScoreMargin() throws -> Float {
        let text = try baseScore().filter { $0 != "[" && $0 != "]" }
        return -log(1 / (Float(text) ?? .nan) - 1)
    }

    /// The JSON document with changes made to it, as bytes.
    func edited(_ edit: (inout Tree) -> Void) throws -> [UInt8] {
        var document = Tree(try JSONSerialization.jsonObject(with: Data(try bytes())))
        edit(&document)
        return Array(try JSONSerialization.data(withJSONObject: document.value))
    }
}

/// A JSON document, changed by path: `tree["learner", "objective", "name"] = "x"`; an index is a number.
struct Tree {
    fileprivate(set) var value: Any
    init(_ value: Any) { self.value = value }

    subscript(path: String...) -> Any? {
        get { path.reduce(value) { Tree($0 ?? NSNull()).child($1) } }
        set { value = replacing(path[...], newValue) }
    }

    private func child(_ key: String) -> Any? {
        if let index = Int(key), let array = value as? [Any] { return array[index] }
        return (value as? [String: Any])?[key]
    }

    private func replacing(_ path: ArraySlice<String>, _ new: Any?) -> Any {
        guard let key = path.first else { return new ?? NSNull() }
        if let index = Int(key), var array = value as? [Any] {
            array[index] = Tree(array[index]).replacing(path.dropFirst(), new)
            return array
        }
        var object = value as? [String: Any] ?? [:]
        // Nil at the end of the path removes the key.
        object[key] =
            path.count == 1 && new == nil ? nil : Tree(object[key] ?? NSNull()).replacing(path.dropFirst(), new)
        return object
    }
}
