internal import RoostDelivery
internal import RoostJSON

extension StatusTable {
    /// What makes a function score without being called: a line for each trigger, with what is in its way.
    static func triggers(of function: FunctionView) -> [String] {
        (function.json["triggers"]?.arrayValue ?? []).flatMap { trigger in
            let name = trigger["name"]?.stringValue ?? "?"
            let facts = [what(trigger), counts(of: trigger), next(trigger), last(of: trigger)].compactMap(\.self)
            let problem = trigger["problem"]?.stringValue.map { ["trigger \(name): \($0)"] } ?? []
            return ["trigger \(name): \(facts.joined(separator: "; "))"] + problem
        }
    }

    private static func what(_ trigger: JSONValue) -> String? {
        guard let type = trigger["type"]?.stringValue else { return nil }
        if let folder = trigger["watches"]?.stringValue { return "\(type) \(folder)" }
        if let cron = trigger["cron"]?.stringValue {
            return "\(type) \(cron) \(trigger["timezone"]?.stringValue ?? "")"
        }
        return type
    }

    private static func counts(of trigger: JSONValue) -> String {
        [("done", "done"), ("dead", "failed"), ("waiting", "waiting"), ("running", "running")]
            .map { "\(Figure.plain(trigger[$0]?.doubleValue ?? 0)) \($1)" }.joined(separator: ", ")
    }

    private static func next(_ trigger: JSONValue) -> String? {
        trigger["next_run"]?.stringValue.map { "next \($0)" }
    }

    private static func last(of trigger: JSONValue) -> String? {
        guard let last = trigger["last"], let outcome = last["outcome"]?.stringValue else { return nil }
        let time = last["at"]?.intValue.map { " at \(TimeZoneRules.utc.text(of: Int64($0)))" } ?? ""
        let job = trigger["last_job"]?.stringValue.map { ", job \($0)" } ?? ""
        let reason = last["reason"]?.stringValue.map { ": \($0)" } ?? ""
        return "last \(outcome)\(time)\(job)\(reason)"
    }
}
