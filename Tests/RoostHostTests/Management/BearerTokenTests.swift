import RoostBasics
import Testing

@testable import RoostHost

@Suite struct BearerTokenTests {
    private let token = BearerToken("0123456789abcdef")

    private func isShown(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        return token.isShown(in: bytes.bytes)
    }

    @Test(arguments: ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER 0123456789abcdef"])
    func theTokenIsKnown(_ value: String) { #expect(isShown(value)) }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef", "Bearer  0123456789abcdef",
        "Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer x123456789abcdef",
        "Bearer 0123456789abcdef 0123456789abcdef", "Bearer 0123456789abcde\0",
    ])
    func nothingElseIs(_ value: String) { #expect(!isShown(value)) }
}
