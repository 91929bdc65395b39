-- One row of 30 numbers, as JSON, to the rows endpoint.
local cells = {}
for index = 1, 30 do cells[index] = string.format("%.4f", index * 1.2345) end
wrk.method = "POST"
wrk.path = "/functions/cancer/predict"
wrk.headers["Content-Type"] = "application/json"
wrk.body = "[[" .. table.concat(cells, ", ") .. "]]"
