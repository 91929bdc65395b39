import RoostBasics
import RoostJSON
import Testing

@testable import RoostCommand

@Suite struct DeploymentTests {
    private static let ours = String(repeating: "a", count: 64)
    private static let other = String(repeating: "b", count: 64)

    private func function(_ json: String) throws -> FunctionView { FunctionView(json: try JSONValue(parsing: json)) }

    /// `versions` as JSON members, highest first.
    private func judge(
        _ versions: String..., file: String = "credit@3.ubj", traffic: String = #"{"origin": "latest"}"#,
        before: String? = nil, elapsed: Instant.Span = .seconds(1)
    ) throws -> Deployment.Verdict {
        let list = versions.map { "{\($0)}" }.joined(separator: ",")
        let deployment = Deployment(
            try DropFile(file), digest: Self.ours,
            before: try before.map { try function(#"{"versions": [{\#($0)}]}"#) })
        return deployment.judge(
            try function(#"{"name": "credit", "traffic": \#(traffic), "versions": [\#(list)]}"#), elapsed: elapsed)
    }

    @Test(arguments: ["found", "settling", "stored", "verifying", "of a later release"])
    func whatIsUnderWayIsWaitedFor(_ state: String) throws {
        #expect(try judge(#""version": "3", "state": "\#(state)""#) == .wait)
    }

    @Test func endsAreTold() throws {
        let three = VersionNumber(3)
        #expect(try judge(#""version": "3", "state": "serving""#) == .done(three, "serving"))
        #expect(
            try judge(#""version": "3", "state": "failed", "reason": "no ELF""#) == .failed("credit@3 failed: no ELF"))
        #expect(try judge(#""version": "3", "state": "held", "reason": "columns""#) == .held(three, "columns"))
        #expect(try judge(#""version": "3", "state": "rejected", "reason": "died""#) == .rejected(three, "died"))
    }

    @Test func readyIsTheEndOnlyWithoutTraffic() throws {
        let three = VersionNumber(3)
        let ready = #""version": "3", "state": "ready""#
        #expect(try judge(ready) == .wait)
        #expect(try judge(#""version": "4", "state": "failed""#, ready) == .wait)
        #expect(
            try judge(#""version": "4", "state": "serving""#, ready) == .done(three, "ready; a higher version serves"))
        #expect(try judge(ready, traffic: #"{"origin": "set", "shares": {"3": 10, "2": 90}}"#) == .wait)
        #expect(try judge(ready, traffic: #"{"origin": "manifest", "pending": {"3": 10}}"#) == .wait)
        guard case .done(three, let said) = try judge(ready, traffic: #"{"origin": "set", "shares": {"2": 100}}"#)
        else {
            Issue.record("a version without a share is waited for")
            return
        }
        #expect(said.contains("roost traffic credit"))
    }

    @Test func anUnversionedFileIsKnownByItsBytes() throws {
        let old = #""version": "3", "state": "serving", "file": "credit.ubj", "digest": "\#(Self.other)""#
        let new = #""version": "4", "state": "serving", "file": "credit.ubj", "digest": "\#(Self.ours)""#
        #expect(try judge(old, file: "credit.ubj") == .wait)
        #expect(try judge(new, old, file: "credit.ubj") == .done(VersionNumber(4), "serving"))
    }

    @Test func anOldFailureIsNoAnswerToANewFile() throws {
        let old = #""version": "3", "state": "failed", "reason": "truncated", "digest": "\#(Self.other)""#
        #expect(try judge(old, before: old) == .wait)
        #expect(try judge(old, before: old, elapsed: .seconds(6)) == .failed("credit@3 failed: truncated"))
        let new = #""version": "3", "state": "failed", "reason": "wrong answer""#
        #expect(try judge(new, before: old) == .failed("credit@3 failed: wrong answer"))
        let same = #""version": "3", "state": "failed", "reason": "truncated", "digest": "\#(Self.ours)""#
        #expect(try judge(same, before: same) == .failed("credit@3 failed: truncated"))
    }

    @Test func aFileThatNobodyTakesUpIsNotWaitedForForever() throws {
        #expect(try judge() == .wait)
        guard case .failed(let reason) = try judge(elapsed: .seconds(61)) else {
            Issue.record("still waiting")
            return
        }
        #expect(reason == "the host has not taken credit@3.ubj up within 1m: see `roost status`")
    }

    @Test func otherContentsUnderAVersionThatExistsAreRefusedBeforeCopying() throws {
        let file = try DropFile("credit@3.ubj")
        let serving = try function(
            #"{"versions": [{"version": "10.1", "state": "ready"}, {"version": "3", "state": "serving", "digest": "\#(Self.other)"}]}"#
        )
        #expect(
            Deployment.objection(to: file, digest: Self.ours, in: serving)
                == "credit@3 exists with other contents, and versions are immutable: deploy it as credit@11")
        #expect(Deployment.objection(to: file, digest: Self.other, in: serving) == nil)
        #expect(Deployment.objection(to: file, digest: Self.ours, in: nil) == nil)
        let failed = try function(#"{"versions": [{"version": "3", "state": "failed", "digest": "\#(Self.other)"}]}"#)
        #expect(Deployment.objection(to: file, digest: Self.ours, in: failed) == nil)
    }
}
