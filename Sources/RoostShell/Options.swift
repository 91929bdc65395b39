internal import CGetopt
internal import Glibc

/// One option of a command line: `--home DIR`, `--home=DIR`, perhaps `-o FILE`.
public struct OptionName: Hashable, Sendable {
    /// Without dashes.
    public let long: String
    /// An ASCII letter; nil when there is only the long name.
    public let letter: Character?
    public let takesValue: Bool

    public init(_ long: String, letter: Character? = nil, takesValue: Bool) {
        precondition(letter?.isASCII ?? true, "an option's letter is ASCII")
        self.long = long
        self.letter = letter
        self.takesValue = takesValue
    }
}

/// What stood on a command line, in its order.
public struct Arguments: Hashable, Sendable {
    /// An option by its long name; `value` is empty for one that takes none.
    public struct Option: Hashable, Sendable {
        public let name: String
        public let value: String
    }
    public fileprivate(set) var options: [Option] = []
    public fileprivate(set) var operands: [String] = []

    /// The last value given to the option `name`; nil when it was not given.
    public func value(of name: String) -> String? { options.last { $0.name == name }?.value }
    /// Every value given to it, in order.
    public func values(of name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }
    public func has(_ name: String) -> Bool { options.contains { $0.name == name } }
}

/// Why a command line cannot be understood. Options are as people write them: `--home`, `-o`.
public enum ArgumentError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknown(String)
    case ambiguous(String)
    case valueMissing(String)
    case valueUnwanted(String)
    case tooMany

    public var description: String {
        switch self {
        case .unknown(let option): "unknown option \(option)"
        case .ambiguous(let option): "\(option) could mean more than one option: write it out"
        case .valueMissing(let option): "\(option) needs a value"
        case .valueUnwanted(let option): "\(option) takes no value"
        case .tooMany: "too many arguments"
        }
    }
}

extension Arguments {
    /// Reads `arguments` (without the program's name) by getopt_long: options may stand anywhere, long ones may be
    /// shortened as far as they stay unique, `--` ends them.
    ///
    /// - Parameter stoppingAtOperand: everything from the first operand on is an operand.
    public init(
        _ arguments: [String], options: [OptionName], stoppingAtOperand: Bool = false
    ) throws(ArgumentError) {
        // The C side points into these copies; they are freed when all of its answers have been copied out.
        let texts = unsafe arguments.map { unsafe strdup($0) }
        let names = unsafe options.map { unsafe strdup($0.long) }
        defer { unsafe (texts + names).forEach { unsafe free($0) } }
        let specs = unsafe zip(options, names).map { option, name in
            unsafe roost_option_spec(
                name: name, letter: CChar(option.letter?.asciiValue ?? 0), takes_value: option.takesValue ? 1 : 0)
        }
        let pointers = unsafe texts.map { unsafe UnsafePointer($0) }
        let capacity = arguments.reduce(2) { $0 + max(2, $1.utf8.count) }
        var items = unsafe [roost_option_item](repeating: roost_option_item(), count: capacity)
        let count = unsafe roost_read_options(
            Int32(pointers.count), pointers, specs, Int32(specs.count), stoppingAtOperand ? 1 : 0, &items,
            Int32(capacity))
        guard count >= 0 else { throw .tooMany }
        for place in 0..<Int(count) { try unsafe add(items[place], options) }
    }

    private mutating func add(_ item: roost_option_item, _ options: [OptionName]) throws(ArgumentError) {
        let text = unsafe item.text.map { unsafe String(cString: $0) } ?? ""
        let index = Int(unsafe item.index)
        let name = options.indices.contains(index) ? options[index].long : ""
        switch unsafe item.kind {
        case Int32(ROOST_OPTION): self.options.append(Option(name: name, value: text))
        case Int32(ROOST_OPERAND): operands.append(text)
        case Int32(ROOST_OPTION_AMBIGUOUS): throw .ambiguous(text)
        case Int32(ROOST_OPTION_NO_VALUE): throw .valueMissing("--\(name)")
        case Int32(ROOST_OPTION_HAS_VALUE): throw .valueUnwanted("--\(name)")
        default:
            throw .unknown(text.isEmpty ? "-\(Character(UnicodeScalar(UInt8(truncatingIfNeeded: index))))" : text)
        }
    }
}
