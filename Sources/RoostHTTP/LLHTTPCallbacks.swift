internal import CLLHTTP

/// llhttp's table of callbacks, one for all parsers.
///
/// Safe to share: it is written once, here, and llhttp only reads it.
nonisolated(unsafe) let llhttpSettings: UnsafeMutablePointer<llhttp_settings_t> = {
    let settings = UnsafeMutablePointer<llhttp_settings_t>.allocate(capacity: 1)
    unsafe settings.initialize(to: llhttp_settings_t())
    unsafe settings.pointee.on_url = { parser, at, count in
        unsafe HeadState.with(parser) { state in
            guard !state.isInBody else { return -1 }  // a request within a body
            let start = unsafe state.offset(at)
            if state.target.isAbsent { state.target.start = UInt16(truncatingIfNeeded: start) }
            state.target.end = UInt16(truncatingIfNeeded: start + count)
            return 0
        }
    }
    unsafe settings.pointee.on_header_field = { parser, at, count in
        unsafe HeadState.with(parser) { state in
            guard !state.isInBody else {
                state.trailerNameCount += count  // trailers are read over
                return 0
            }
            let start = unsafe state.offset(at)
            if state.fieldStart < 0 { state.fieldStart = start }
            state.fieldEnd = start + count
            return 0
        }
    }
    unsafe settings.pointee.on_header_value = { parser, at, count in
        unsafe HeadState.with(parser) { state in
            guard !state.isInBody else { return 0 }
            let start = unsafe state.offset(at)
            if state.valueStart < 0 { state.valueStart = start }
            state.valueEnd = start + count
            return 0
        }
    }
    unsafe settings.pointee.on_header_value_complete = { parser in
        unsafe HeadState.with(parser) { state in
            if state.isInBody { state.trailerEnded() } else { state.headerEnded() }
            return 0
        }
    }
    unsafe settings.pointee.on_headers_complete = { parser in
        unsafe HeadState.with(parser) { state in
            // Bodies of a stated length are counted here, not there: "no body" (1). Chunked ones come after a pause.
            unsafe state.llhttp.flags & UInt16(F_CHUNKED.rawValue) == 0 ? 1 : Int32(HPE_PAUSED.rawValue)
        }
    }
    unsafe settings.pointee.on_chunk_header = { parser in
        unsafe HeadState.with(parser) { state in
            state.chunks += 1
            let size = unsafe Int(clamping: state.llhttp.content_length)
            state.chunkedAnnounced = size > .max - state.chunkedBody ? .max : state.chunkedBody + size
            return 0
        }
    }
    unsafe settings.pointee.on_body = { parser, at, count in
        unsafe HeadState.with(parser) { state in unsafe state.bodyCame(at, count) }
    }
    unsafe settings.pointee.on_message_complete = { parser in
        unsafe HeadState.with(parser) { state in
            state.isMessageComplete = true
            return Int32(HPE_PAUSED.rawValue)
        }
    }
    return unsafe settings
}()

extension HeadState {
    /// The state that llhttp's `data` points to; the closure is inlined, nothing is copied.
    @unsafe @inline(__always)
    static func with(_ parser: UnsafeMutablePointer<llhttp_t>?, _ body: (inout HeadState) -> Int32) -> Int32 {
        guard let data = unsafe parser?.pointee.data else { return -1 }
        return unsafe body(&data.assumingMemoryBound(to: HeadState.self).pointee)
    }

    /// Chunked bodies are parsed where they lie; heads only from the head buffer.
    var isInBody: Bool { unsafe input != nil }

    @unsafe @inline(__always)
    func offset(_ at: UnsafePointer<CChar>?) -> Int {
        guard let at = unsafe at, let head = unsafe head else { return 0 }
        return unsafe UnsafeRawPointer(at) - UnsafeRawPointer(head)
    }

    /// Notes a piece of a chunked body and pauses, so that the caller sees it.
    @unsafe mutating func bodyCame(_ at: UnsafePointer<CChar>?, _ count: Int) -> Int32 {
        guard count > 0, let at = unsafe at, let input = unsafe input else { return 0 }
        bodyStart = unsafe UnsafeRawPointer(at) - UnsafeRawPointer(input)
        bodyCount = count
        // Seen from here the account is the same however the bytes were cut into pieces.
        if chunkedTotal + bodyStart - chunkedBody > RequestParser.chunkOverheadMax(chunks) { hasChunkOverhead = true }
        chunkedBody += count
        return Int32(HPE_PAUSED.rawValue)
    }
}
