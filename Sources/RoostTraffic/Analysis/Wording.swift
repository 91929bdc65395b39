internal import Glibc

/// `40,010`.
func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude))
    var text = count < 0 ? "-" : ""
    for (place, digit) in digits.enumerated() {
        if place > 0 && (digits.count - place).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return text
}

/// With so many significant digits as say something: `0.0123`, `1.5`, `240`.
func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return "unknown" }
    guard value != 0 else { return "0" }
    let decimals = max(0, min(9, digits - 1 - Int(floor(log10(value.magnitude)))))
    let scale = pow(10, Double(decimals))
    guard value.magnitude * scale < 1e15 else { return "\(value)" }
    let whole = Int((value.magnitude * scale).rounded())
    var fraction = String(whole % Int(scale))
    fraction = String(repeating: "0", count: max(0, decimals - fraction.count)) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    let text = grouped(whole / Int(scale)) + (decimals > 0 && !fraction.isEmpty ? "." + fraction : "")
    return value < 0 && whole > 0 ? "-" + text : text
}

/// `0.31 %`.
func percent(_ part: Double) -> String { "\(significant(part * 100, digits: 2)) %" }

/// Of nanoseconds: `4.1 ms`.
func time(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1e6: "\(significant(nanoseconds / 1e3)) us"
    case ..<1e9: "\(significant(nanoseconds / 1e6)) ms"
    default: "\(significant(nanoseconds / 1e9)) s"
    }
}
