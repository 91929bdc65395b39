/// A metric for people: four significant digits, without zeros at the end; more where that would make it look equal
/// to `other`, which it is not.
public func metricText(_ value: Double, besides other: Double? = nil) -> String {
    guard value.isFinite else { return "\(value)" }
    for digits in 4...15 {
        let text = rounded(value, digits)
        if value == other || text != other.map(fullText) { return text }
    }
    return fullText(value)
}

/// A number as it was written, a whole one without point.
func fullText(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// The shortest text of the number nearest to `value` of so many significant digits.
private func rounded(_ value: Double, _ digits: Int) -> String {
    guard value != 0 else { return "0" }
    // Digits before the point are all shown: a mean squared error of 28,734 is no "28730".
    var places = digits - 1
    var magnitude = abs(value)
    while magnitude >= 10, places > 0 {
        magnitude /= 10
        places -= 1
    }
    while magnitude < 1, places < 18 {
        magnitude *= 10
        places += 1
    }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return fullText((value * scale).rounded() / scale)
}
