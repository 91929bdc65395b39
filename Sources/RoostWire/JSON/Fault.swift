/// What a scanner found wrong, without the words: those are added where the input, row and column are known.
struct Fault: Error {
    enum Kind {
        /// Not JSON: what the grammar asks for instead.
        case syntax(StaticString)
        /// Well-formed, but not of the kind that was asked for.
        case type
        /// A number that the element type cannot hold.
        case range
        /// More elements than there is room for.
        case surplus
        /// Bytes of a string that are not UTF-8, or escapes that name no character.
        case text
        /// Arrays and objects within each other beyond the limit.
        case depth
    }

    let kind: Kind
    /// The offset of the offending byte in the body.
    let at: Int
    /// The index of the element in its run.
    var element = 0

    init(_ kind: Kind, at: Int) {
        self.kind = kind
        self.at = at
    }
}
