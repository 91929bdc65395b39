-- Posts one body over and over, and prints what came of it as one line of JSON.
-- Arguments after `--`: the path, the file with the body, and perhaps a header's name and value.
function init(arguments)
    local file = assert(io.open(arguments[2], "rb"))
    wrk.method, wrk.path, wrk.body = "POST", arguments[1], file:read("*a")
    wrk.headers["Content-Type"] = "application/json"
    if arguments[3] then wrk.headers[arguments[3]] = arguments[4] end
    file:close()
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}\n', summary.requests,
        summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
