extension String {
    /// With a space for every control character: a plugin's words among the host's own begin no line that looks like
    /// the host's, and move no cursor.
    public var onOneLine: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var text = ""
        text.unicodeScalars.append(contentsOf: unicodeScalars.map { $0.isControl ? " " : $0 })
        return text
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1, and the line ends of Unicode.
    fileprivate var isControl: Bool {
        value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029
    }
}
