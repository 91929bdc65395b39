internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON

/// The manifests of a home: the last good one of each function stays in force while an edit is wrong, also after a
/// restart.
struct Manifests {
    private(set) var inForce: [FunctionName: Manifest] = [:]
    /// What those were read from, to be remembered.
    private(set) var texts: [FunctionName: [UInt8]] = [:]
    /// What is wrong with a file, by function; and files whose names are no functions'.
    private(set) var problems: [FunctionName: String] = [:]
    private(set) var strangers: [String: String] = [:]
    private var contents: [FunctionName: [UInt8]] = [:]

    subscript(name: FunctionName) -> Manifest { inForce[name] ?? Manifest() }

    /// Functions with a manifest that is wrong, of which no good one is known, each with what is wrong.
    var unreadable: [FunctionName: String] { problems.filter { inForce[$0.key] == nil } }

    /// - Parameter remembered: the texts that were in force when the host last ran. One that this build cannot read
    ///   is as good as none.
    init(remembered: [FunctionName: [UInt8]] = [:]) {
        for (name, bytes) in remembered {
            guard let manifest = try? Manifest(try JSONDocument(parsing: bytes, source: "manifest")) else { continue }
            inForce[name] = manifest
            texts[name] = bytes
        }
    }

    /// Takes what the folder holds now; returns the functions whose policy has changed.
    mutating func update(_ files: [String: Result<[UInt8], RoostError>]) -> [FunctionName] {
        var changed: [FunctionName] = []
        strangers = [:]
        var seen: Set<FunctionName> = []
        for (file, content) in files.sorted(by: { $0.key < $1.key }) {
            guard let name = FunctionName(file.dropLast(5)) else {
                strangers["functions/\(file)"] = "its name is no function's: letters, digits, _ and - only"
                continue
            }
            seen.insert(name)
            switch content {
            case .failure(let error): problems[name] = error.message
            case .success(let bytes): if contents[name] != bytes, take(name, bytes, file) { changed.append(name) }
            }
        }
        for name in Set(contents.keys).union(problems.keys).union(inForce.keys) where !seen.contains(name) {
            contents[name] = nil
            texts[name] = nil
            problems[name] = nil
            if inForce.removeValue(forKey: name) != nil { changed.append(name) }
        }
        return changed
    }

    private mutating func take(_ name: FunctionName, _ bytes: [UInt8], _ file: String) -> Bool {
        contents[name] = bytes
        do throws(JSONError) {
            let manifest = try Manifest(try JSONDocument(parsing: bytes, source: "functions/\(file)"))
            problems[name] = nil
            texts[name] = bytes
            guard inForce[name] != manifest else { return false }
            inForce[name] = manifest
            return true
        } catch {
            let rest = inForce[name] == nil ? "new versions wait" : "the last good one stays in force"
            problems[name] = "\(error); \(rest)"
            return false
        }
    }
}
