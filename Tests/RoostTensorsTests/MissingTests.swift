import RoostTensors
import Testing

/// Spans cannot stand in an expectation.
private func hasNaN(_ elements: [Float], _ range: Range<Int>) -> Bool { elements.span.extracting(range).hasNaN }

@Test func aNaNIsFoundWhereverItStands() {
    let others: [Float] = [.infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let nans: [Float] = [.nan, -.nan, .signalingNaN, Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFFF_FFFF)]
    for count in 0...40 {
        var elements = (0..<count).map { others[$0 % others.count] }
        #expect(!hasNaN(elements, 0..<count), "\(count) elements")
        for place in elements.indices {
            elements[place] = nans[place % nans.count]
            #expect(hasNaN(elements, 0..<count), "element \(place) of \(count)")
            // What stands before and behind a part is not of it.
            #expect(!hasNaN(elements, 0..<place))
            #expect(!hasNaN(elements, place + 1..<count))
            elements[place] = others[place % others.count]
        }
    }
}
