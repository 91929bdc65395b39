internal import RoostTensors

/// A signature as JSON, for the host to read: `{"inputs":[{"name","datatype","shape"}],"outputs":[…],"columns":[…]}`.
enum SignatureText {
    static func json(_ signature: Signature) -> [UInt8] {
        var text = "{\"inputs\":["
        append(signature.inputs, to: &text)
        text += "],\"outputs\":["
        append(signature.outputs, to: &text)
        text += "],\"columns\":["
        for (index, column) in signature.columns.enumerated() {
            text += index == 0 ? "{\"name\":" : ",{\"name\":"
            append(column.name, to: &text)
            text +=
                ",\"type\":\"\(column.kind.rawValue)\",\"missing\":\"\(column.missingAllowed ? "allowed" : "refused")\""
            if column.kind == .category {
                text += ",\"categories\":["
                for (index, category) in column.categories.enumerated() {
                    if index > 0 { text += "," }
                    append(category, to: &text)
                }
                text += "]"
            }
            text += "}"
        }
        text += "]}"
        return Array(text.utf8)
    }

    private static func append(_ specs: [TensorSpec], to text: inout String) {
        for (index, spec) in specs.enumerated() {
            text += index == 0 ? "{\"name\":" : ",{\"name\":"
            append(spec.name, to: &text)
            let shape = spec.shape.map(String.init).joined(separator: ",")
            text += ",\"datatype\":\"\(spec.dtype.name)\",\"shape\":[\(shape)]}"
        }
    }

    private static func append(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
