import RoostBasics
import Testing

@Suite struct OneLineTests {
    @Test func controlCharactersBecomeSpacesAndNothingElseChanges() {
        #expect("tree 7 has a cycle".onOneLine == "tree 7 has a cycle")
        #expect("größer als 3 µs – 数".onOneLine == "größer als 3 µs – 数")
        #expect("no\nroost: forged\r\u{1B}[2J\u{7F}\u{9B}\u{2028}".onOneLine == "no roost: forged  [2J   ")
        #expect("a\r\nb\tc\0".onOneLine == "a  b c ")
    }
}
