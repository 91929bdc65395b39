internal import RoostBasics
internal import RoostTensors

/// JSON Lines in.
extension BulkCodec {
    /// Reads lines until the block is full, one comes that cannot share its batch, or the chunk is at its end.
    func readLines(_ cursor: inout JSONCursor) {
        while !isFull {
            cursor.skipBlankLines(&line)
            guard cursor.at < cursor.end else { break }
            let end = cursor.lineEnd
            let stop = end > cursor.at && cursor.byte(end - 1) == 0x0D ? end - 1 : end
            let place = RowPlace(start: cursor.at, end: stop, line: line)
            do throws(RoostError) {
                guard try decode(cursor, place) else {
                    // It cannot share a batch with those before: they go first.
                    break
                }
                places.append(place)
            } catch {
                let reason = error.message.withoutRow
                refuse(place, reason, column: column(in: reason))
            }
            cursor.at = min(end + 1, cursor.end)
            line += 1
        }
    }

    /// Appends the row of a line to the batch. False when it cannot share it with the rows that are there.
    private func decode(_ cursor: JSONCursor, _ place: RowPlace) throws(RoostError) -> Bool {
        let mark = batch.mark
        let isRequest = cursor.limited(to: place.end).isInferRequest && !decoder.layout.knows("inputs")
        let decoded = try cursor.withBytes(place.start, place.end) { (bytes) throws(RoostError) in
            try decoder.decode(
                bytes, as: isRequest ? .tensors : .rows, into: batch, &info, passingUnknown: true)
        }
        guard decoded == .appended else { return false }
        guard info.rows == 1, info.parameters.isEmpty else {
            batch.rollback(to: mark)
            let reason =
                info.rows == 1
                ? "\"parameters\" hold for a whole batch: they are not taken with a row"
                : "a line holds one row, got \(info.rows)"
            throw RoostError(.invalidArgument, reason)
        }
        return true
    }

    /// The column that a reason begins with.
    private func column(in reason: String) -> Int? {
        guard reason.hasPrefix("column \"") else { return nil }
        return decoder.layout.matrix?.names.names.firstIndex { reason.hasPrefix("column \"\($0)\": ") }
    }
}

extension String {
    /// What the decoder says of a body with one row, without the number of that row.
    fileprivate var withoutRow: String {
        for prefix in ["row 1: ", "row 1, "] where hasPrefix(prefix) { return String(dropFirst(prefix.count)) }
        return self
    }
}

extension InputLayout {
    fileprivate func knows(_ name: String) -> Bool {
        (matrix?.names.names ?? inputNames.names).contains(name)
    }
}

extension JSONCursor {
    /// Where the line ends that the cursor is in: at its line feed, or at the end.
    fileprivate var lineEnd: Int {
        var place = at
        while place < end, byte(place) != 0x0A { place &+= 1 }
        return place
    }

    /// Whether an object is next whose `inputs` are an array of objects: v2.
    fileprivate var isInferRequest: Bool {
        var probe = self
        probe.skipSpace()
        guard probe.current == .openBrace else { return false }
        var found = false
        do throws(Refusal) {
            try probe.object { (cursor, key) throws(Refusal) in
                if cursor.equals(key, "inputs") {
                    var inner = cursor
                    if inner.take(.openBracket) {
                        inner.skipSpace()
                        found = inner.current == .openBrace
                    }
                }
                try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
        } catch { return found }
        return found
    }
}
