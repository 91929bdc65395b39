internal import RoostBasics
internal import RoostTensors

/// A row that cannot be read.
private struct Unreadable: Error {
    let reason: String
    var column: Int?
}

/// CSV in.
extension BulkCodec {
    /// Reads records until the block is full or the chunk at its end.
    func readFields(_ cursor: inout JSONCursor) {
        guard let columns else { return }
        if let matrix = decoder.layout.matrix { batch.inputs[0].settle(width: matrix.columns.count) }
        while !isFull {
            cursor.skipBlankLines(&line)
            guard cursor.at < cursor.end else { break }
            var place = RowPlace(start: cursor.at, end: cursor.end, line: line)
            let keptCount = kept.count
            for input in batch.inputs { input.grow(by: input.rowElements) }
            do throws(Unreadable) {
                try record(&cursor, columns)
                place.end = cursor.at
                try endRecord(&cursor)
                try checkText(cursor, place, columns, keptCount)
                places.append(place)
            } catch {
                for input in batch.inputs { input.truncate(to: input.count - input.rowElements) }
                kept.removeSubrange(keptCount...)
                passOver(&cursor, &place)
                refuse(place, error.reason, column: error.column)
            }
        }
        batch.commit(rows: places.count)
    }

    /// Reads the fields of one record into the row that was made for it.
    private func record(_ cursor: inout JSONCursor, _ columns: BulkColumns) throws(Unreadable) {
        let input = batch.inputs[0]
        let first = input.count &- input.rowElements
        let delimiter = plan.delimiter
        let isRecordKept = columns.keepsAll
        let uses = columns.uses.span
        var index = 0
        repeat {
            guard index < uses.count else { throw tooMany(&cursor, uses.count) }
            let use = uses[index]
            let start = cursor.at
            if use.isPlain {
                if let value = Float.quick(&cursor), cursor.isAtFieldEnd(delimiter) {
                    input.set(value, at: first &+ use.column)
                } else {
                    cursor.at = start
                    if let value = cursor.quotedFloat(delimiter) {
                        input.set(value, at: first &+ use.column)
                    } else {
                        cursor.at = start
                        try cell(&cursor, use.column)
                    }
                }
            } else if use.column >= 0 {
                try cell(&cursor, use.column)
            } else {
                try cursor.skipField(&line, delimiter)
            }
            if use.isKept, !isRecordKept {
                kept.append(start)
                kept.append(cursor.at)
            }
            index &+= 1
        } while cursor.take(delimiter)
        guard index == uses.count else {
            throw Unreadable(reason: "expected \(uses.count) columns, got \(index)")
        }
    }

    private func tooMany(_ cursor: inout JSONCursor, _ expected: Int) -> Unreadable {
        var count = expected
        repeat {
            do throws(Unreadable) { try cursor.skipField(&line, plan.delimiter) } catch { return error }
            count += 1
        } while cursor.take(plan.delimiter)
        return Unreadable(reason: "expected \(expected) columns, got \(count)")
    }

    /// Reads a field that is no plain number.
    @inline(never) private func cell(_ cursor: inout JSONCursor, _ column: Int) throws(Unreadable) {
        let matrix = decoder.layout.matrix
        let input = batch.inputs[matrix == nil ? column : 0]
        let index = input.count - input.rowElements + (matrix == nil ? 0 : column)
        let start = cursor.at
        if input.dtype == .float32, matrix?.categories[column] == nil, cursor.isAtNumber,
            let value = try? Float.read(&cursor), cursor.isAtFieldEnd(plan.delimiter)
        {
            return input.set(value, at: index)
        }
        cursor.at = start
        let field: CSVField
        do { field = cursor.trimmed(try cursor.field(&line, plan.delimiter)) } catch { throw Unreadable(error) }
        do throws(Refusal) {
            try decoder.value(cursor, field, column, input, index) {
                "column \"\(matrix?.names.names[column] ?? decoder.layout.inputNames.names[column])\""
            }
        } catch {
            guard case .invalid(let reason) = error else { return }
            throw Unreadable(reason: reason.message, column: column)
        }
    }

    /// Takes the end of a line.
    private func endRecord(_ cursor: inout JSONCursor) throws(Unreadable) {
        if cursor.take(0x0D), cursor.current != 0x0A, cursor.at < cursor.end {
            throw Unreadable(reason: "a carriage return without a line feed behind it")
        }
        _ = cursor.take(0x0A)
        line += 1
    }

    /// What is passed on must be text.
    private func checkText(
        _ cursor: JSONCursor, _ place: RowPlace, _ columns: BulkColumns, _ keptCount: Int
    ) throws(Unreadable) {
        if isASCII, !hasNUL { return }
        if hasNUL, (place.start..<place.end).contains(where: { cursor.byte($0) == 0 }) {
            throw Unreadable(reason: "a NUL byte: no text")
        }
        if isASCII { return }
        if columns.keepsAll {
            guard cursor.slice(place.start, place.end).isUTF8 else { throw Unreadable(reason: "the text is not UTF-8") }
        }
        for index in stride(from: keptCount, to: kept.count, by: 2) {
            guard cursor.slice(kept[index], kept[index + 1]).isUTF8 else {
                let name = columns.keptNames[(index - keptCount) / 2]
                throw Unreadable(reason: "column \"\(name)\": the text is not UTF-8")
            }
        }
    }

    /// Goes behind a record that could not be read, which ends where the host says that it does.
    private func passOver(_ cursor: inout JSONCursor, _ place: inout RowPlace) {
        let delimiter = plan.delimiter
        let (end, lines) = cursor.withBytes(0, cursor.end) { bytes in
            RecordScan.recordEnd(bytes, from: place.start, isCSV: true, delimiter: delimiter)
        }
        line = place.line + lines + 1
        place.end = end
        cursor.at = min(end + 1, cursor.end)
        if place.end > place.start, end < cursor.end, cursor.byte(end - 1) == 0x0D { place.end -= 1 }
    }
}

extension Unreadable {
    fileprivate init(_ fault: Fault) {
        if case .syntax(let expected) = fault.kind {
            self.init(reason: "expected \(expected)")
        } else {
            self.init(reason: "the text is not UTF-8")
        }
    }
}

extension JSONCursor {
    /// Takes lines without anything, as a `RecordSplitter` counts them: a carriage return alone ends none.
    @inline(__always) mutating func skipBlankLines(_ line: inout Int) {
        while true {
            if current == 0x0A {
                at &+= 1
            } else if current == 0x0D, byte(at &+ 1) == 0x0A || at &+ 1 == end {
                at = min(at &+ 2, end)
            } else {
                return
            }
            line &+= 1
        }
    }

    /// Takes a number in quotes; nothing where something else stands there.
    @inline(__always) fileprivate mutating func quotedFloat(_ delimiter: UInt8) -> Float? {
        guard current == .quote else { return nil }
        at &+= 1
        guard let value = Float.quick(&self), take(.quote), isAtFieldEnd(delimiter) else { return nil }
        return value
    }

    /// Takes a field that nobody reads now.
    @inline(__always) fileprivate mutating func skipField(_ line: inout Int, _ delimiter: UInt8) throws(Unreadable) {
        if current == .quote {
            do { _ = try field(&line, delimiter) } catch { throw Unreadable(error) }
            return
        }
        while !isAtFieldEnd(delimiter) { at &+= 1 }
    }
}

extension TensorBuffer {
    /// Gives an empty matrix its width.
    fileprivate func settle(width: Int) {
        if trailing != [width] { reshape(trailing: [width]) }
    }
}
