import RoostBasics
import RoostFunctions
import RoostJSON
import Testing

@Suite struct ManifestAuditTests {
    private func audit(_ old: String, _ new: String) throws -> [AuditEntry] {
        let name = try #require(FunctionName("credit"))
        func manifest(_ text: String) throws -> Manifest {
            try Manifest(JSONDocument(parsing: text, source: "functions/credit.json"))
        }
        return try manifest(new).audit(name, from: manifest(old))
    }

    @Test(arguments: [
        ("{}", #"{"threshold": 0.3}"#, "the model's own", "0.3"),
        (#"{"threshold": 0.3}"#, #"{"threshold": 0.45}"#, "0.3", "0.45"),
        (#"{"threshold": 0.3}"#, "{}", "0.3", "the model's own"),
    ])
    func aThresholdIsNotedWithBothValues(_ old: String, _ new: String, _ from: String, _ to: String) throws {
        let entries = try audit(old, new)
        #expect(entries.map(\.act) == ["threshold"] && entries.first?.who == "manifest")
        #expect(entries.first?.from == from && entries.first?.to == to)
    }

    @Test(arguments: [
        ("{}", #"{"rollout": true}"#, "rollout"),
        (#"{"traffic": {"1": 100}}"#, #"{"traffic": {"1": 90, "2": 10}}"#, "traffic"),
        (#"{"traffic": {"1": 100}, "bake": "1h"}"#, #"{"sticky": "header:X-User"}"#, "traffic, bake, sticky"),
        ("{}", #"{"tags": {"best": "1"}, "rollback_window": "1s"}"#, "tags, rollback_window"),
        ("{}", #"{"gate": {"data": "a.csv", "label": "y", "metric": "auc", "min": 0.9}}"#, "gate"),
    ])
    func whatDecidesAboutReleasesIsNamed(_ old: String, _ new: String, _ keys: String) throws {
        let entries = try audit(old, new)
        #expect(entries.map(\.act) == ["manifest"])
        #expect(entries.first?.reason == "changed: \(keys)" && entries.first?.who == "manifest")
    }

    @Test func whatDecidesAboutNothingIsNot() throws {
        #expect(try audit("{}", #"{"description": "scores", "timeout": "5s", "scale": {"max": 2}}"#).isEmpty)
        #expect(try audit(#"{"rollout": true}"#, #"{"rollout": true, "owner": "eva"}"#).isEmpty)
    }
}
