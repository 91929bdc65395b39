internal import RoostBasics
internal import RoostTensors

/// Lines out.
extension BulkCodec {
    /// Appends the line of a row: what is kept of the input, then the outputs.
    /// - Parameter element: its place in `batch`, as `row` is in the block.
    /// - Returns: nil, or the output whose text is not UTF-8: then part of a line was appended.
    func appendRow(
        _ element: Int, of batch: TensorBatch, _ row: Int, _ cursor: JSONCursor, to reply: TextBuffer
    ) -> Int? {
        guard let columns, let outputs else { return nil }
        switch plan.output {
        case .csv:
            appendKeptFields(row, cursor, columns, to: reply)
            let isFirst = columns.keptNames.isEmpty
            if let failed = appendFields(element, of: batch, outputs, isFirst: isFirst, to: reply) { return failed }
            reply.append(0x0A)
        case .jsonLines:
            reply.append(.openBrace)
            let taken = appendKeptMembers(row, cursor, columns, outputs, to: reply)
            if let failed = appendMembers(element, of: batch, outputs, taken, to: reply) { return failed }
            reply.append("}\n")
        }
        return nil
    }

    // MARK: CSV

    private func appendFields(
        _ row: Int, of batch: TensorBatch, _ outputs: BulkOutputs, isFirst: Bool, to reply: TextBuffer
    ) -> Int? {
        var isFirst = isFirst
        for part in outputs.parts {
            let output = batch.outputs[part.output]
            guard part.fields != nil else {
                scratch.removeAll()
                guard scratch.value(output, row) else { return part.output }
                if !isFirst { reply.append(plan.delimiter) }
                isFirst = false
                reply.append(csv: scratch.bytes, plan.delimiter)
                continue
            }
            for element in row &* output.rowElements..<(row &+ 1) &* output.rowElements {
                if !isFirst { reply.append(plan.delimiter) }
                isFirst = false
                guard reply.csvElement(output, element, plan.delimiter) else { return part.output }
            }
        }
        return nil
    }

    private func appendKeptFields(_ row: Int, _ cursor: JSONCursor, _ columns: BulkColumns, to reply: TextBuffer) {
        let place = places[row]
        if plan.input == .jsonLines {
            for (index, name) in columns.keptNames.enumerated() {
                if index > 0 { reply.append(plan.delimiter) }
                appendField(member: name, of: place, cursor, to: reply)
            }
        } else if columns.keepsAll {
            cursor.withBytes(place.start, place.end) { reply.append($0) }
        } else {
            let count = columns.keptNames.count
            for index in row &* count..<(row &+ 1) &* count {
                if index > row &* count { reply.append(plan.delimiter) }
                cursor.withBytes(kept[2 &* index], kept[2 &* index &+ 1]) { reply.append($0) }
            }
        }
    }

    /// A member of a row in JSON as a field; nothing where it has none.
    private func appendField(member name: String, of place: RowPlace, _ cursor: JSONCursor, to reply: TextBuffer) {
        guard var value = cursor.member(name, of: place) else { return }
        if value.current == .quote {
            guard let token = try? value.string(), let text = try? value.bytes(token) else { return }
            reply.append(csv: Array(text.string.utf8), plan.delimiter)
        } else if !value.takeWord("null") {
            let start = value.at
            guard (try? value.skipValue()) != nil else { return }
            scratch.removeAll()
            value.withBytes(start, value.at) { scratch.append($0) }
            reply.append(csv: scratch.bytes, plan.delimiter)
        }
    }

    // MARK: JSON

    /// - Parameter taken: keys, with quotes and colon, that give way because the row has them itself.
    private func appendMembers(
        _ row: Int, of batch: TensorBatch, _ outputs: BulkOutputs, _ taken: Set<[UInt8]>, to reply: TextBuffer
    ) -> Int? {
        for part in outputs.parts {
            reply.separateMember()
            var key = part.key
            while taken.contains(key) { key = key.dropLast(2) + Array("_predicted\":".utf8) }
            reply.append(key)
            guard reply.value(batch.outputs[part.output], row) else { return part.output }
        }
        return nil
    }

    /// - Returns: keys of the outputs that the row has members of.
    private func appendKeptMembers(
        _ row: Int, _ cursor: JSONCursor, _ columns: BulkColumns, _ outputs: BulkOutputs, to reply: TextBuffer
    ) -> Set<[UInt8]> {
        let place = places[row]
        if plan.input == .csv {
            let count = keptKeys.count
            for index in 0..<count {
                reply.separateMember()
                reply.append(keptKeys[index])
                let offset = 2 &* (row &* count &+ index)
                appendValue(field: cursor.limited(to: kept[offset + 1]).moved(to: kept[offset]), to: reply)
            }
            return []
        }
        guard columns.keepsAll else {
            for (name, key) in zip(columns.keptNames, keptKeys) {
                reply.separateMember()
                reply.append(key)
                guard var value = cursor.member(name, of: place), case let start = value.at,
                    (try? value.skipValue()) != nil
                else {
                    reply.append("null")
                    continue
                }
                value.withBytes(start, value.at) { reply.append($0) }
            }
            return []
        }
        return appendAllMembers(cursor.limited(to: place.end).moved(to: place.start), outputs, to: reply)
    }

    /// The text of a whole row: the members of an object as they stand, an array as member `row`.
    private func appendAllMembers(
        _ row: JSONCursor, _ outputs: BulkOutputs, to reply: TextBuffer
    ) -> Set<[UInt8]> {
        var cursor = row
        cursor.skipSpace()
        guard cursor.current == .openBrace else {
            let start = cursor.at
            reply.append(#""row":"#)
            try? cursor.skipValue()
            cursor.withBytes(start, cursor.at) { reply.append($0) }
            return []
        }
        var taken: Set<[UInt8]> = []
        try? cursor.object { (cursor, key) throws(Refusal) in
            let start = cursor.at
            try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            reply.separateMember()
            reply.append(.quote)
            cursor.withBytes(key.start, key.end) { reply.append($0) }
            reply.append("\":")
            cursor.withBytes(start, cursor.at) { reply.append($0) }
            for part in outputs.parts where cursor.equals(key, part.name) { taken.insert(part.key) }
        }
        return taken
    }

    /// A field as JSON: a number as it stands, nothing as `null`, all else as a string.
    private func appendValue(field start: JSONCursor, to reply: TextBuffer) {
        var cursor = start
        var lines = 0
        guard let raw = try? cursor.field(&lines, plan.delimiter) else { return reply.append("null") }
        let field = cursor.trimmed(raw)
        if field.isQuoted || !cursor.isPlainNumber(field) {
            guard field.isQuoted || field.start < field.end else { return reply.append("null") }
            let text = field.hasDoubled ? cursor.copy(field) : cursor.slice(field.start, field.end)
            if !text.withBytes({ JSONText.append(quoted: $0, to: reply) }) { reply.append("null") }
        } else {
            cursor.withBytes(field.start, field.end) { reply.append($0) }
        }
    }
}

extension TextBuffer {
    /// A comma, but behind the opening brace.
    fileprivate func separateMember() {
        if last != .openBrace { append(.comma) }
    }

    /// Appends what a row of an output holds: a value, or arrays of them.
    fileprivate func value(_ output: TensorBuffer, _ row: Int) -> Bool {
        guard let extent = output.trailing.first else { return list(output, row..<row + 1) }
        return nested(output, row * output.rowElements, extent, output.trailing.dropFirst())
    }
}

extension JSONCursor {
    /// Whether the field is a number as JSON writes them.
    fileprivate func isPlainNumber(_ field: CSVField) -> Bool {
        var probe = moved(to: field.start)
        guard probe.isAtNumber, (try? probe.number()) != nil else { return false }
        return probe.at == field.end
    }

    /// The value of a row's member of that name; nil when the row is no object or has none.
    fileprivate func member(_ name: String, of place: RowPlace) -> JSONCursor? {
        var cursor = limited(to: place.end).moved(to: place.start)
        var found: JSONCursor?
        cursor.skipSpace()
        guard cursor.current == .openBrace else { return nil }
        try? cursor.object { (cursor, key) throws(Refusal) in
            if found == nil, cursor.equals(key, name) { found = cursor }
            try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
        }
        return found
    }

    /// Whether the token's text is `name`.
    fileprivate func equals(_ token: StringToken, _ name: String) -> Bool {
        guard let bytes = try? bytes(token), bytes.size == name.utf8.count else { return false }
        return bytes.withBytes { bytes in
            var index = 0
            for byte in name.utf8 {
                if bytes[index] != byte { return false }
                index += 1
            }
            return true
        }
    }
}
