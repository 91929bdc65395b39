import RoostBasics
import RoostClient
import Testing

/// Addresses that are not called, however they are written.
@Suite struct AddressRuleTests {
    /// Nobody listens there: whoever is allowed to call is told so.
    private func code(_ host: String, _ rule: AddressRule?) -> RoostError.Code? {
        let client = Client(.tcp(host: host, port: 1), patience: .milliseconds(100), rule: rule)
        return #expect(throws: RoostError.self) { try client.send(ClientRequest("GET", "/")) }?.code
    }

    @Test(arguments: ["169.254.169.254", "169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.169.254"])
    func linkLocalAddressesAreNeverCalled(_ host: String) {
        #expect(code(host, AddressRule(forbidsOwn: false)) == .forbidden)
    }

    @Test(arguments: [
        "127.0.0.1", "127.1.2.3", "localhost", "::1", "0.0.0.0", "::", "127.1", "2130706433", "0x7f000001",
        "::ffff:127.0.0.1",
    ])
    func theMachinesOwnAddressesAreCalledUnlessTheyAreForbidden(_ host: String) {
        #expect(code(host, AddressRule(forbidsOwn: true)) == .forbidden)
        #expect(code(host, AddressRule(forbidsOwn: false)) != .forbidden)
        #expect(code(host, nil) != .forbidden)
    }
}
