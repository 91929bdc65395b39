internal import RoostBasics

/// What the specification allows in attributes (CloudEvents 1.0.2, "Context Attributes" and "Type System").
extension CloudEvent {
    /// Attributes and extensions are called so. The data is no attribute.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name != "data" && name.utf8.count <= nameBytesMax
            && name.utf8.allSatisfy { $0.isDigit || (0x61...0x7A).contains($0) }
    }

    /// The specification says that names should have at most 20; others are met.
    private static let nameBytesMax = 64
    private static let valueBytesMax = 65_536

    /// Why an attribute may not have this value; nil when it may.
    static func objection(to text: String, as name: String) -> String? {
        guard text.utf8.count <= valueBytesMax else { return "is longer than \(valueBytesMax) bytes" }
        guard text.unicodeScalars.allSatisfy(isAllowed) else { return "has a control character" }
        if names.contains(name), text.isEmpty { return "must not be empty" }
        switch name {
        case "specversion":
            return text == specVersion ? nil : "\"\(text)\" is not spoken here: \(specVersion) is"
        case "source": return isURIReference(text) ? nil : "\"\(text)\" is no URI reference"
        case "dataschema":
            return isURIReference(text) && hasScheme(text) ? nil : "\"\(text)\" is no URI with a scheme"
        case "time":
            return isTimestamp(text) ? nil : "\"\(text)\" is no RFC 3339 time like \"2026-01-31T03:00:00Z\""
        case "datacontenttype":
            return MediaType(text) == nil ? "\"\(text)\" is no media type like \"application/json\"" : nil
        default: return nil
        }
    }

    /// No control characters and no non-characters.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0xFDD0...0xFDEF: false
        case let value: value & 0xFFFE != 0xFFFE
        }
    }

    /// The characters of RFC 3986, each percent with its two digits.
    private static func isURIReference(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.allSatisfy { at in
            if bytes[at] == UInt8(ascii: "%") {
                return at + 2 < bytes.count && bytes[at + 1].hexDigit != nil && bytes[at + 2].hexDigit != nil
            }
            return bytes[at].isAlphanumeric || "-._~:/?#[]@!$&'()*+,;=".utf8.contains(bytes[at])
        }
    }

    private static func hasScheme(_ text: String) -> Bool {
        let scheme = text.utf8.prefix { $0.isAlphanumeric || "+-.".utf8.contains($0) }
        guard let first = scheme.first, first.isAlphanumeric, !first.isDigit else { return false }
        return text.utf8.dropFirst(scheme.count).first == UInt8(ascii: ":")
    }

    /// `2026-01-31T03:00:00.125+01:00`.
    private static func isTimestamp(_ text: String) -> Bool {
        let bytes = Array(text.uppercased().utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy(\.isDigit) else { return nil }
            return Int(String(decoding: bytes[range], as: UTF8.self))
        }
        func has(_ marks: String, at place: Int) -> Bool {
            place < bytes.count && marks.utf8.contains(bytes[place])
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), has("T", at: 10), let hour = number(11..<13), has(":", at: 13),
            let minute = number(14..<16), has(":", at: 16), let second = number(17..<19), (1...12).contains(month),
            day >= 1, day <= CivilTime.daysInMonth(month, of: year), hour < 24, minute < 60, second <= 60
        else { return false }
        var zone = 19
        if has(".", at: zone) {
            zone += 1
            guard has("0123456789", at: zone) else { return false }
            while has("0123456789", at: zone) { zone += 1 }
        }
        if has("Z", at: zone) { return bytes.count == zone + 1 }
        guard has("+-", at: zone), let hours = number(zone + 1..<zone + 3), has(":", at: zone + 3),
            let minutes = number(zone + 4..<zone + 6)
        else { return false }
        return hours < 24 && minutes < 60 && bytes.count == zone + 6
    }
}

/// `application/cloudevents+json; charset=utf-8`: RFC 2046, as far as it matters here.
struct MediaType: Hashable {
    /// Type and subtype in lower case.
    let name: String
    /// In lower case, without quotes; nil when there is none.
    let charset: String?

    init?(_ text: some StringProtocol) {
        let parts = text.lowercased().split(separator: ";", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        let halves = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2,
            halves.allSatisfy({ half in
                !half.isEmpty && half.utf8.allSatisfy { $0.isAlphanumeric || "!#$&-^_.+".utf8.contains($0) }
            })
        else { return nil }
        name = parts[0]
        charset = parts.dropFirst().first { $0.hasPrefix("charset=") }.map {
            $0.dropFirst("charset=".count).filter { $0 != "\"" }
        }
    }

    var isJSON: Bool { name.hasSuffix("/json") || name.hasSuffix("+json") }
}
