/// Which chunk of a job's input is read, scored and written next: the order of acts, as a pure value.
///
/// Chunks are read in turn, scored by several workers at once in any order, and written in the order of the input.
/// Inputs are calls, what follows from them is pulled with `next` until that is nil. What is promised:
/// - each chunk is written exactly once, and only after all chunks before it;
/// - no more than `window` chunks are in memory;
/// - a chunk that kills its worker is cut in two, and so on until the row that does it is alone: a row that kills two
///   workers by itself is a bad row, and the rows beside it are scored. A worker that was killed from outside costs a
///   repetition in smaller pieces, and no row.
///
/// `Content` is a piece of input, `Output` what a worker makes of one.
public struct ChunkLedger<Content: Sendable, Output: Sendable> {
    /// A run of whole records of one chunk: all of them, until it has to be cut.
    public struct Piece: Sendable {
        public let id: PieceID
        public let content: Content
        /// Records in it; 1 cannot be cut.
        public let records: Int
        fileprivate var deaths = 0
        fileprivate var state = PieceState.waiting
    }

    /// Names a piece as long as its chunk is in memory.
    public struct PieceID: Hashable, Sendable {
        public let chunk: Int
        public let serial: Int
    }

    public enum Action: Sendable {
        /// Ask for the next chunk of the input.
        case read
        /// Give the piece to the worker.
        case score(PieceID, Content, worker: Int)
        /// Cut the piece in two at a record, and tell with `cut`.
        case cut(PieceID, Content)
        /// Make an output of the one row that cannot be scored, and tell with `madeBad`.
        case makeBad(PieceID, Content, reason: String)
        /// Write a chunk's outputs, in this order; tell with `written`.
        case write(chunk: Int, [Output])
        /// Everything is written.
        case finish
    }

    fileprivate enum PieceState: Sendable {
        case waiting
        /// With this worker.
        case running(Int)
        /// Cutting, or being made a bad row.
        case asked
        /// Killed its worker, or two when it is a single row; to be cut.
        case deadly(reason: String)
        case scored(Output)
    }

    private struct Worker {
        let id: Int
        /// Oldest first: that is the one it works on.
        var pieces: [PieceID] = []
    }

    private let window: Int
    private let depth: Int
    /// In order of the input; the first is `firstChunk`.
    private var chunks: [[Piece]] = []
    private var firstChunk: Int
    private var nextChunk: Int
    private var workers: [Worker] = []
    private var nextSerial = 0
    private var readsAsked = 0
    private var writing: Int?
    private var isInputRead = false
    private var isFinished = false
    /// Workers died so often in a row without having scored anything between.
    public private(set) var deathsInARow = 0

    /// - Parameters:
    ///   - window: chunks in memory at once, at least 1.
    ///   - depth: pieces given to one worker at once, so that it never waits for the next.
    ///   - chunk: the number of the first chunk to be read; earlier ones were written before.
    public init(window: Int, depth: Int = 2, resumingAt chunk: Int = 0) {
        precondition(window > 0 && depth > 0)
        (self.window, self.depth, firstChunk, nextChunk) = (window, depth, chunk, chunk)
    }

    /// Pieces that were given to a worker and not answered.
    public var runningCount: Int { workers.reduce(0) { $0 + $1.pieces.count } }
    /// Whether a worker more would have something to do.
    public var hasWaiting: Bool { chunks.contains { $0.contains { $0.isWaiting } } }

    // MARK: inputs

    /// The next chunk, or nil at the end of the input.
    public mutating func read(_ content: Content?, records: Int = 0) {
        readsAsked -= 1
        guard let content else {
            isInputRead = true
            return
        }
        chunks.append([piece(content, records, of: nextChunk)])
        nextChunk += 1
    }

    public mutating func workerCame(_ id: Int) { workers.append(Worker(id: id)) }

    /// A worker ended. The piece that it was working on is blamed, the others wait again.
    /// - Parameter reason: how it ended, for the row that turns out to be the cause; nil: by our own will, nobody is
    ///   blamed.
    public mutating func workerGone(_ id: Int, _ reason: String?) {
        guard let at = workers.firstIndex(where: { $0.id == id }) else { return }
        let pieces = workers.remove(at: at).pieces
        if reason != nil { deathsInARow += 1 }
        for (index, id) in pieces.enumerated() {
            change(id) { piece in
                piece.state = .waiting
                guard index == 0, let reason else { return }
                piece.deaths += 1
                // A needless cut costs next to nothing, a repetition of one that hangs costs its whole time.
                if piece.deaths >= 2 || piece.records > 1 { piece.state = .deadly(reason: reason) }
            }
        }
    }

    public mutating func scored(_ id: PieceID, _ output: Output) {
        deathsInARow = 0
        take(id)
        change(id) { $0.state = .scored(output) }
    }

    /// The worker lives, and says that it cannot score the piece as a whole.
    public mutating func refused(_ id: PieceID, _ reason: String) {
        deathsInARow = 0
        take(id)
        change(id) { $0.state = .deadly(reason: reason) }
    }

    /// The halves of a piece that was to be cut, with their records.
    public mutating func cut(_ id: PieceID, _ first: (Content, Int), _ second: (Content, Int)) {
        guard let (chunk, at) = place(id) else { return }
        chunks[chunk].replaceSubrange(
            at...at, with: [piece(first.0, first.1, of: id.chunk), piece(second.0, second.1, of: id.chunk)])
    }

    public mutating func madeBad(_ id: PieceID, _ output: Output) { change(id) { $0.state = .scored(output) } }

    public mutating func written(chunk: Int) {
        precondition(writing == chunk)
        writing = nil
    }

    // MARK: actions

    public mutating func next() -> Action? {
        if writing == nil, let first = chunks.first, let outputs: [Output] = first.outputs() {
            writing = firstChunk
            chunks.removeFirst()
            firstChunk += 1
            return .write(chunk: firstChunk - 1, outputs)
        }
        for chunk in chunks.indices {
            for at in chunks[chunk].indices {
                if let action = advance(chunk, at) { return action }
            }
        }
        let inMemory = chunks.count + readsAsked + (writing == nil ? 0 : 1)
        if !isInputRead, inMemory < window {
            readsAsked += 1
            return .read
        }
        guard isInputRead, readsAsked == 0, chunks.isEmpty, writing == nil, !isFinished else { return nil }
        isFinished = true
        return .finish
    }

    private mutating func advance(_ chunk: Int, _ at: Int) -> Action? {
        let piece = chunks[chunk][at]
        switch piece.state {
        case .running, .asked, .scored: return nil
        case .waiting:
            guard let idlest = workers.indices.min(by: { workers[$0].pieces.count < workers[$1].pieces.count }),
                workers[idlest].pieces.count < depth
            else { return nil }
            workers[idlest].pieces.append(piece.id)
            chunks[chunk][at].state = .running(workers[idlest].id)
            return .score(piece.id, piece.content, worker: workers[idlest].id)
        case .deadly(let reason):
            chunks[chunk][at].state = .asked
            return piece.records > 1
                ? .cut(piece.id, piece.content) : .makeBad(piece.id, piece.content, reason: reason)
        }
    }

    // MARK: pieces

    private mutating func piece(_ content: Content, _ records: Int, of chunk: Int) -> Piece {
        nextSerial += 1
        return Piece(id: PieceID(chunk: chunk, serial: nextSerial), content: content, records: records)
    }

    private func place(_ id: PieceID) -> (chunk: Int, at: Int)? {
        let chunk = id.chunk - firstChunk
        guard chunks.indices.contains(chunk), let at = chunks[chunk].firstIndex(where: { $0.id == id }) else {
            return nil
        }
        return (chunk, at)
    }

    private mutating func change(_ id: PieceID, _ body: (inout Piece) -> Void) {
        if let (chunk, at) = place(id) { body(&chunks[chunk][at]) }
    }

    private mutating func take(_ id: PieceID) {
        for at in workers.indices { workers[at].pieces.removeAll { $0 == id } }
    }
}

extension ChunkLedger.Piece {
    fileprivate var isWaiting: Bool { if case .waiting = state { true } else { false } }
}

extension Array {
    /// Nil until every piece is scored.
    fileprivate func outputs<Content, Output>() -> [Output]?
    where Element == ChunkLedger<Content, Output>.Piece {
        var found: [Output] = []
        for piece in self {
            guard case .scored(let output) = piece.state else { return nil }
            found.append(output)
        }
        return found
    }
}
