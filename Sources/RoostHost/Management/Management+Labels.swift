internal import RoostBasics
internal import RoostFeedback
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON
internal import RoostLoop

/// Late labels, and what they say.
extension Management {
    func takeLabels(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let name = try functionName(name)
        _ = try host.deploying.machine.known(name)
        let type = head.value(.contentType).text.prefix { $0 != ";" && $0 != " " }.lowercased()
        let format: FeedbackBody.Format =
            switch type {
            case "text/csv": .csv
            case "application/jsonl", "application/x-ndjson": .jsonLines
            default: .json
            }
        var bytes: [UInt8] = []
        bytes.append(body)
        try host.recorder.join(bytes, as: format, to: name) { [self] result in
            switch result {
            case .failure(let error): fail(id, error)
            case .success(let outcome):
                host.recorder.refreshQuality(of: name) { [self] in
                    reply(id, outcome.json, status: outcome.joined + outcome.replaced.count > 0 ? 200 : 400)
                }
            }
        }
    }

    func quality(_ name: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let name = try functionName(name)
        _ = try host.deploying.machine.known(name)
        let parameters = try Query(query, known: ["window"])
        var windows = QualityReport.Window.usual
        if let text = parameters["window"] { windows = [try QualityReport.Window(text)] }
        let now = Loop.unixMicroseconds
        try host.recorder.quality(of: name, since: windows.map { $0.start(at: now) }) { [self] result in
            switch result {
            case .failure(let error): fail(id, error)
            case .success(let versions):
                let report = QualityReport(windows: Array(zip(windows, versions)), at: now)
                var object = report.json.objectValue ?? JSONObject()
                object["function"] = .string(name.text)
                reply(id, .object(object))
            }
        }
    }
}

extension FeedbackOutcome {
    /// `{"joined": 3, "unknown": 1, "replaced": 0, "refused": 0, "errors": […]}`; with `error` when nothing was of use.
    var json: JSONValue {
        var object = JSONObject([
            ("joined", .integer(joined)), ("unknown", .integer(unknown)), ("replaced", .integer(replaced.count)),
            ("refused", .integer(refused)),
            (
                "errors",
                .array(
                    problems.map { problem in
                        var item = JSONObject([("item", .integer(problem.place))])
                        item["id"] = problem.key.map { .string($0) }
                        item["row"] = problem.row.map { .integer($0) }
                        item["error"] = .string(problem.reason)
                        return .object(item)
                    })
            ),
        ])
        if joined + replaced.count == 0 {
            object["error"] = .string(
                "none of \(unknown + refused) labels could be used, the first: \(problems.first?.reason ?? "")")
        }
        return .object(object)
    }
}
