internal import RoostABI
public import RoostBasics
public import RoostTensors

extension LoadedModel {
    /// Runs the model on all rows of `batch`, whose outputs it fills. Allocates nothing.
    ///
    /// `parameters` is the request's parameters as a JSON object, empty when there are none; `deadline` is advice.
    /// Throws `invalidArgument` when the plugin says that the input is wrong, `pluginFailed` when it failed,
    /// gave no words for an output or left one out. Rows in `failedRows` have no answer; the others do.
    public func predict(
        _ batch: TensorBatch, deadline: Instant? = nil, parameters: [UInt8] = []
    ) throws(RoostError) {
        guard let predict = unsafe library.table.predict else {
            throw RoostError(.invalidArgument, "\(library.name) takes whole bodies only, no tensors: POST …/predict")
        }
        call.begin(batch)
        var arguments = unsafe roost_predict_args()
        unsafe arguments.struct_size = UInt32(MemoryLayout<roost_predict_args>.size)
        unsafe arguments.input_count = UInt32(signature.inputs.count)
        unsafe arguments.model = model
        unsafe arguments.host = UnsafePointer(host.raw)
        unsafe arguments.inputs = UnsafePointer(call.inputs)
        unsafe arguments.rows = UInt64(batch.rows)
        unsafe arguments.deadline_ns = deadline?.nanoseconds ?? 0
        unsafe arguments.call = Unmanaged.passUnretained(call).toOpaque()
        unsafe arguments.output = { call, index, shape, rank in
            unsafe PredictCall.of(call)?.output(Int(index), shape, Int(rank))
        }
        unsafe arguments.fail_row = { call, row, text, size in
            unsafe PredictCall.of(call)?.failRow(row, unsafe HostText.copy(text, size))
        }
        let status: Int32 = unsafe parameters.withUnsafeBytes { bytes in
            unsafe arguments.parameters =
                bytes.isEmpty ? nil : bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            unsafe arguments.parameters_size = bytes.count
            return unsafe predict(&arguments)
        }
        guard status == Int32(ROOST_OK) else { throw failure(status, of: "predict", because: call.complaint) }
        try call.finish()
    }

    /// Whether there are any `failedRows`.
    public var hasFailedRows: Bool { !call.failedRows.isEmpty }

    /// Rows of the last predict that have no answer, with the plugin's reason.
    public var failedRows: [Int: String] { call.failedRows }

    /// Hands a whole body to the plugin.
    public func invoke(
        _ body: RawSpan, contentType: String, deadline: Instant? = nil
    ) throws(RoostError) -> InvokeReply {
        guard let invoke = unsafe library.table.invoke else {
            throw RoostError(.unsupported, "\(library.name) takes tensors only, no whole bodies")
        }
        let answer = InvokeAnswer()
        let status: Int32 = unsafe body.withUnsafeBytes { bytes in
            unsafe contentType.withCString { type in
                var arguments = unsafe roost_invoke_args()
                unsafe arguments.struct_size = UInt32(MemoryLayout<roost_invoke_args>.size)
                unsafe arguments.model = model
                unsafe arguments.host = UnsafePointer(host.raw)
                unsafe arguments.body = bytes.baseAddress
                unsafe arguments.body_size = bytes.count
                unsafe arguments.content_type = type
                unsafe arguments.deadline_ns = deadline?.nanoseconds ?? 0
                unsafe arguments.call = Unmanaged.passUnretained(answer).toOpaque()
                unsafe arguments.reply = { call, type, body, size in unsafe InvokeAnswer.take(call, type, body, size) }
                return unsafe invoke(&arguments)
            }
        }
        guard status == Int32(ROOST_OK) else { throw failure(status, of: "invoke", because: nil) }
        guard let reply = answer.reply else {
            throw RoostError(.pluginFailed, "invoke returned without a reply: it must call reply once")
        }
        return reply
    }
}

/// What a plugin answered to a whole body.
public struct InvokeReply: Sendable {
    public let contentType: String
    public let body: [UInt8]
}

/// Receives the reply of one invoke.
private final class InvokeAnswer {
    var reply: InvokeReply?

    static func take(
        _ call: UnsafeMutableRawPointer?, _ type: UnsafePointer<CChar>?, _ body: UnsafeRawPointer?, _ size: Int
    ) {
        guard let call = unsafe call else { return }
        let answer = unsafe Unmanaged<InvokeAnswer>.fromOpaque(call).takeUnretainedValue()
        let bytes = unsafe body.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) } ?? []
        let contentType = unsafe type.map { unsafe String(cString: $0) } ?? "application/octet-stream"
        answer.reply = InvokeReply(contentType: contentType, body: bytes)
    }
}
