public import RoostBasics

/// What turned out to be true of a row.
public enum Label: Hashable, Sendable, CustomStringConvertible {
    /// Of a regression, or the number of a class.
    case number(Double)
    /// The name of a class.
    case text(String)

    /// As people write it: whole numbers without a point.
    public var description: String {
        switch self {
        case .text(let text): text
        case .number(let number):
            Int(exactly: number).map { String($0) } ?? "\(number)"
        }
    }

    public var number: Double? { if case .number(let value) = self { value } else { nil } }
}

/// What labels a model's rows take: the kind of its own answers.
public enum LabelKind: Int64, Hashable, Sendable {
    /// The model decides nothing; its value is held against a number.
    case number = 0
    /// Classes by number.
    case classNumber = 1
    /// Classes by name.
    case classText = 2
    /// Several values a row and no decision: there is no one label that all of them could be held against.
    case several = 3
}

/// A label as its sender wrote it, before anybody knows what the model answers with.
public enum SentLabel: Hashable, Sendable {
    case number(Double)
    case truth(Bool)
    case text(String)
    /// A field of CSV, which may mean either.
    case cell(String)

    /// The label in the model's own terms.
    /// - Throws: `invalidArgument`, in words that say what was expected and what came.
    public func label(as kind: LabelKind) throws(RoostError) -> Label {
        switch kind {
        case .classText:
            switch self {
            case .text(let text), .cell(let text): return .text(text)
            case .number, .truth: throw wrong("the name of a class, as text")
            }
        case .classNumber:
            guard let number, number == number.rounded(), abs(number) < 0x1p53 else {
                throw wrong("the number of a class")
            }
            return .number(number)
        case .number:
            guard let number else { throw wrong("a number") }
            return .number(number)
        case .several:
            throw RoostError(.invalidArgument, "the model answers several values a row and no class: it takes no label")
        }
    }

    private func wrong(_ expected: String) -> RoostError {
        RoostError(.invalidArgument, "label: expected \(expected), got \(described)")
    }

    /// Finite; truth is 1 and falsehood 0.
    private var number: Double? {
        switch self {
        case .number(let value): value.isFinite ? value : nil
        case .truth(let value): value ? 1 : 0
        case .text: nil
        case .cell(let text):
            switch text {
            case "true", "True": 1
            case "false", "False": 0
            default: Double(text).flatMap { $0.isFinite ? $0 : nil }
            }
        }
    }

    private var described: String {
        switch self {
        case .number(let value): Label.number(value).description
        case .truth(let value): "\(value)"
        case .text(let text), .cell(let text): "\"\(text.prefix(40))\""
        }
    }
}
