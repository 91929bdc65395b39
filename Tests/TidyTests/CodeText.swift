/// A source text without its comments and the insides of its strings; every line stays where it was.
struct CodeText: Sendable {
    let text: String

    init(_ text: String) {
        var scanner = Scanner(Array(text.utf8))
        self.text = String(decoding: scanner.run(), as: UTF8.self)
    }

    private struct Scanner {
        let text: [UInt8]
        var at = 0
        var code: [UInt8] = []

        init(_ text: [UInt8]) { self.text = text }

        private func sees(_ word: String) -> Bool { text[at...].starts(with: word.utf8) }

        /// Moves on without copying, but for line ends.
        private mutating func drop(_ count: Int) {
            for _ in 0..<count where at < text.count {
                if text[at] == UInt8(ascii: "\n") { code.append(text[at]) }
                at += 1
            }
        }

        private mutating func drop(through end: String) {
            while at < text.count && !sees(end) { drop(1) }
            drop(end.utf8.count)
        }

        mutating func run() -> [UInt8] {
            while at < text.count {
                switch text[at] {
                case UInt8(ascii: "/") where sees("//"):
                    while at < text.count && text[at] != UInt8(ascii: "\n") { at += 1 }
                case UInt8(ascii: "/") where sees("/*"): drop(through: "*/")
                case UInt8(ascii: "\""),
                    UInt8(ascii: "#") where sees("\"") || sees("#\"") || sees("##\""):
                    dropString()
                case UInt8(ascii: "'") where sees("'\"'"): drop(3)  // a quote as a C character
                default:
                    code.append(text[at])
                    at += 1
                }
            }
            return code
        }

        private mutating func dropString() {
            let hashes = text[at...].prefix { $0 == UInt8(ascii: "#") }.count
            drop(hashes)
            let quotes = sees("\"\"\"") ? "\"\"\"" : "\""
            drop(quotes.utf8.count)
            let escape = "\\" + String(repeating: "#", count: hashes)
            let end = quotes + String(repeating: "#", count: hashes)
            while at < text.count && !sees(end) { drop(sees(escape) ? escape.utf8.count + 1 : 1) }
            drop(end.utf8.count)
        }
    }

    /// Functions and initialisers by the line they begin on and the number of lines up to their closing brace.
    var functions: [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        var open: [Int?] = []  // for each brace the line of the function that it opens
        var header: [UInt8] = []  // what stands before the next brace
        var line = 1
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "{"):
                open.append(Self.linesFromKeyword(header).map { line - $0 })
                header = []
            case UInt8(ascii: "}"):
                if case let start?? = open.popLast() { found.append((start, line - start + 1)) }
                header = []
            case UInt8(ascii: "\n"):
                line += 1
                header.append(byte)
            default: header.append(byte)
            }
        }
        return found
    }

    /// How many lines above the end of `header` its last keyword of a function stands; nil when there is none.
    private static func linesFromKeyword(_ header: [UInt8]) -> Int? {
        let lines = String(decoding: header, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.reversed().firstIndex { line in
            line.split { !$0.isLetter }.contains { ["func", "init", "deinit", "subscript"].contains($0) }
        }.map { lines.reversed().distance(from: lines.reversed().startIndex, to: $0) }
    }
}
