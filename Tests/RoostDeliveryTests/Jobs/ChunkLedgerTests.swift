import RoostBasics
import RoostDelivery
import Testing

/// A job in miniature: rows are numbers, some of which kill whoever scores them.
private struct Simulation {
    typealias Ledger = ChunkLedger<[Int], [String]>
    var ledger: Ledger
    var random: SplitMix
    var input: [[Int]]
    let deadly: Set<Int>
    let window: Int
    /// Of 100 steps, in how many a worker is killed from outside.
    let killPercent: Int
    var workers: [Int: [(Ledger.PieceID, [Int])]] = [:]
    var nextWorker = 0
    var waitingForInput = 0
    var toWrite: (Int, [[String]])?
    var output: [String] = []
    var writtenChunks: [Int] = []
    var isFinished = false
    var inMemoryMax = 0
    var outside = 0

    init(seed: UInt64, killPercent: Int) {
        var random = SplitMix(state: seed)
        window = Int.random(in: 1...6, using: &random)
        ledger = Ledger(window: window, depth: Int.random(in: 1...3, using: &random))
        var row = 0
        input = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            (0..<Int.random(in: 1...9, using: &random)).map { _ in
                row += 1; return row
            }
        }
        var deadly: Set<Int> = []
        for row in 0..<max(row, 1) where Int.random(in: 0..<12, using: &random) == 0 { deadly.insert(row) }
        self.deadly = deadly
        self.random = random
        self.killPercent = killPercent
    }

    /// What the output must be, whatever happens meanwhile.
    var expected: [String] { input.joined().map { deadly.contains($0) ? "bad \($0)" : "\($0)" } }

    mutating func run() {
        let expected = expected
        var rest = input[...]
        for _ in 0..<20_000 where !isFinished {
            pull()
            step(&rest)
        }
        #expect(isFinished)
        #expect(output == expected)
        #expect(writtenChunks == Array(input.indices))
        #expect(inMemoryMax <= window)
    }

    private mutating func pull() {
        while let action = ledger.next() {
            switch action {
            case .read: waitingForInput += 1
            case .score(let id, let rows, let worker): workers[worker]?.append((id, rows))
            case .cut(let id, let rows):
                let middle = rows.count / 2
                ledger.cut(id, (Array(rows[..<middle]), middle), (Array(rows[middle...]), rows.count - middle))
            case .makeBad(let id, let rows, _): ledger.madeBad(id, rows.map { "bad \($0)" })
            case .write(let chunk, let outputs): toWrite = (chunk, outputs)
            case .finish: isFinished = true
            }
        }
        #expect(ledger.runningCount == workers.values.reduce(0) { $0 + $1.count })
    }

    private mutating func step(_ rest: inout ArraySlice<[Int]>) {
        if workers.count < 2, Bool.random(using: &random) {
            workers[nextWorker] = []
            ledger.workerCame(nextWorker)
            nextWorker += 1
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<killPercent:
            if let victim = workers.keys.sorted().randomElement(using: &random) {
                workers[victim] = nil
                outside += 1
                // A real row would have to be hit twice while it is alone; nobody else's death is told with a reason
                // here, so that what is expected stays known.
                ledger.workerGone(victim, nil)
            }
        case ..<50:
            guard
                let busy = workers.keys.sorted().filter({ workers[$0]?.isEmpty == false }).randomElement(
                    using: &random),
                let (id, rows) = workers[busy]?.first
            else { return }
            if let killer = rows.first(where: deadly.contains) {
                workers[busy] = nil
                ledger.workerGone(busy, "row \(killer)")
            } else {
                workers[busy]?.removeFirst()
                ledger.scored(id, rows.map { "\($0)" })
            }
        case ..<75:
            guard waitingForInput > 0 else { return }
            waitingForInput -= 1
            ledger.read(rest.first, records: rest.first?.count ?? 0)
            if !rest.isEmpty { rest.removeFirst() }
            let inMemory = input.count - rest.count - writtenChunks.count
            inMemoryMax = max(inMemoryMax, inMemory)
        default:
            guard let (chunk, outputs) = toWrite else { return }
            toWrite = nil
            output += outputs.joined()
            writtenChunks.append(chunk)
            ledger.written(chunk: chunk)
        }
    }
}

@Suite struct ChunkLedgerTests {
    @Test(arguments: [0, 5, 20]) func everyRowIsWrittenOnceInOrderWhateverDies(killPercent: Int) {
        for seed in 0..<400 as Range<UInt64> {
            var simulation = Simulation(seed: seed, killPercent: killPercent)
            simulation.run()
        }
    }

    @Test func aPieceThatIsRefusedIsCutDownToItsRow() {
        var ledger = ChunkLedger<[Int], String>(window: 1)
        ledger.workerCame(1)
        guard case .read? = ledger.next() else { Issue.record("nothing is read"); return }
        ledger.read([1, 2, 3], records: 3)
        var bad: [Int] = []
        var written: [String] = []
        while let action = ledger.next() {
            switch action {
            case .score(let id, let rows, _):
                if rows.contains(3) { ledger.refused(id, "three") } else { ledger.scored(id, "\(rows)") }
            case .cut(let id, let rows): ledger.cut(id, ([rows[0]], 1), (Array(rows[1...]), rows.count - 1))
            case .makeBad(let id, let rows, let reason):
                bad += rows
                ledger.madeBad(id, reason)
            case .write(let chunk, let outputs):
                written = outputs
                ledger.written(chunk: chunk)
            case .read: ledger.read(nil)
            case .finish: break
            }
        }
        #expect(bad == [3])
        #expect(written == ["[1]", "[2]", "three"])
    }

    @Test func deathsWithoutWorkBetweenAreCounted() {
        var ledger = ChunkLedger<Int, Int>(window: 1)
        for worker in 0..<5 {
            ledger.workerCame(worker)
            ledger.workerGone(worker, "it cannot start")
        }
        #expect(ledger.deathsInARow == 5)
    }
}
