public import RoostBasics

/// The functions of a home by name, and which of them were touched: a thousand others must not be looked at because
/// one has changed.
public struct FunctionTable: Sequence, Sendable {
    private var entries: [FunctionName: FunctionDeployment] = [:]
    /// Those that may have changed since `takeTouched`.
    private var touched: Set<FunctionName> = []

    public subscript(name: FunctionName) -> FunctionDeployment? {
        _read { yield entries[name] }
        _modify {
            touched.insert(name)
            yield &entries[name]
        }
    }

    subscript(name: FunctionName, default new: @autoclosure () -> FunctionDeployment) -> FunctionDeployment {
        get { entries[name] ?? new() }
        set { self[name] = newValue }
    }

    public var names: Dictionary<FunctionName, FunctionDeployment>.Keys { entries.keys }
    public var values: Dictionary<FunctionName, FunctionDeployment>.Values { entries.values }

    public func makeIterator() -> Dictionary<FunctionName, FunctionDeployment>.Iterator { entries.makeIterator() }

    /// What may have changed since the last call, in order of name.
    mutating func takeTouched() -> [FunctionName] {
        defer { touched.removeAll(keepingCapacity: true) }
        return touched.sorted()
    }
}
