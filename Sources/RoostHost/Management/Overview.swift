internal import RoostBasics
internal import RoostFiles
internal import RoostFunctions

/// What runs, in text for whoever opens `/` in a browser or asks with curl.
struct Overview {
    let text: String

    init(_ host: Host) {
        var lines = ["Roost \(RoostVersion.current) on \(host.options.listen.host):\(host.port)", ""]
        let functions = host.deploying.machine.functions.values.filter { !$0.versions.isEmpty }
        for function in functions.sorted(by: { $0.name < $1.name }) {
            let versions = function.versions.values.filter { $0.state != .retired }.sorted { $0.id > $1.id }
            let states = versions.map { "\($0.id.number) \($0.state.word)" }.joined(separator: ", ")
            lines.append("\(function.name): \(states)")
        }
        if functions.isEmpty {
            lines.append("no functions yet: drop a model file or plugin into \(host.home.plugins.path)")
        }
        lines += [
            "", "POST /functions/NAME/predict          rows: [[17.9, …]], [{\"age\": 41}], text/csv",
            "POST /v2/models/NAME/infer            Open Inference Protocol v2",
            "GET  /v2/models/NAME[/versions/V][/ready|/stats], /v2/models/stats, /v2, /v2/health/live, /v2/health/ready",
            "POST /v2/repository/index, /v2/repository/models/NAME/load|unload",
            "GET  /functions, /functions/NAME, /functions/NAME/logs, /metrics",
            "PUT  /functions/NAME/versions/V, /functions/NAME/traffic",
            "GET  /functions/NAME/rollout, POST …/rollout, …/rollout/promote|abort|pause|resume, GET …/audit, /audit",
            "POST /functions/NAME/feedback              labels: {\"id\": …, \"row\": 0, \"label\": …}, CSV",
            "GET  /functions/NAME/quality[?window=24h]",
            "POST /functions/NAME/rollback, /functions/NAME/versions/V/restart, …/allow", "",
        ]
        text = lines.joined(separator: "\n")
    }
}
