/// Two threads that run a producer and a consumer over weak memory, and every way in which that can go.
struct WakeUpModel {
    enum Finding: Hashable {
        /// Every way ends with every frame read once, in order.
        case holds(states: Int)
        /// Some way ends with somebody asleep and frames left.
        case everybodyWaits
        /// Some way reads from a slot what is not the frame that belongs there.
        case wrongFrame
    }

    private struct Thread: Hashable {
        var step = 0
        var locals = Locals()
        /// The futex word that it sleeps at.
        var asleep: Int?
        var hasEnded = false
    }

    private struct State: Hashable {
        var memory: WeakMemory
        var threads = [Thread(), Thread()]
        var doorbellHasRung = false
    }

    private struct WrongFrame: Error {}

    private let programs: [[Instruction]]
    private let labels: [[String: Int]]
    private let capacity: Int
    /// Kernel objects: the futexes of all words, and the doorbell.
    private static let (futexes, doorbell) = (0, 1)

    init(_ producer: [Instruction], _ consumer: [Instruction], capacity: UInt8) {
        programs = [producer, consumer]
        self.capacity = Int(capacity)
        labels = programs.map { program in
            var found: [String: Int] = [:]
            for (index, instruction) in program.enumerated() {
                if case .label(let name) = instruction { found[name] = index }
            }
            return found
        }
    }

    /// Depth first; a state that was seen is not looked at again.
    func explore() -> Finding {
        var first = State(
            memory: WeakMemory(locations: Place.firstSlot + capacity, threads: 2, kernelObjects: 2))
        for thread in 0...1 { settle(thread, &first) }
        var seen: Set<State> = [first]
        var open = [first]
        while let state = open.popLast() {
            if state.threads.allSatisfy(\.hasEnded) { continue }
            do throws(WrongFrame) {
                let next = try followers(of: state, 0) + followers(of: state, 1)
                if next.isEmpty { return .everybodyWaits }
                for follower in next where seen.insert(follower).inserted { open.append(follower) }
            } catch { return .wrongFrame }
        }
        return .holds(states: seen.count)
    }

    /// Runs what nobody else can notice, up to the next step that somebody can.
    private func settle(_ thread: Int, _ state: inout State) {
        while true {
            switch programs[thread][state.threads[thread].step] {
            case .label: state.threads[thread].step += 1
            case .set(let change):
                change(&state.threads[thread].locals)
                state.threads[thread].step += 1
            case .jump(let name, let condition):
                state.threads[thread].step =
                    condition(state.threads[thread].locals) ? target(name, thread) : state.threads[thread].step + 1
            case .end:
                state.threads[thread].hasEnded = true
                return
            case .mayJump, .load, .store, .exchange, .fence, .readSlot, .writeSlot, .futexWait, .futexWake,
                .awaitRoom, .ringDoorbell, .awaitDoorbell:
                return
            }
        }
    }

    private func target(_ name: String, _ thread: Int) -> Int {
        guard let place = labels[thread][name] else { preconditionFailure("no label \(name)") }
        return place
    }

    /// The states that one step of a thread leads to; none when it has to wait.
    private func followers(of state: State, _ thread: Int) throws(WrongFrame) -> [State] {
        guard !state.threads[thread].hasEnded, state.threads[thread].asleep == nil else { return [] }
        let locals = state.threads[thread].locals
        let slot = Place.firstSlot + Int(locals.own) % capacity
        switch programs[thread][state.threads[thread].step] {
        case .label, .set, .jump, .end: preconditionFailure("a step that nobody notices")
        case .mayJump(let name):
            return [
                after(state, thread) { _ in }, after(state, thread) { $0.threads[thread].step = target(name, thread) },
            ]
        case .load(let location, let order):
            return state.memory.readable(location, by: thread).map { place in
                after(state, thread) {
                    $0.threads[thread].locals.seen = $0.memory.read(location, at: place, by: thread, order)
                }
            }
        case .store(let location, let value, let order): return stores(state, thread, location, value(locals), order)
        case .writeSlot: return stores(state, thread, slot, locals.own + 1, .relaxed)
        case .exchange(let location):
            return state.memory.exchangeable(location, by: thread).map { place in
                after(state, thread) {
                    $0.threads[thread].locals.seen = $0.memory.exchange(0, at: location, after: place, by: thread)
                }
            }
        case .fence: return [after(state, thread) { $0.memory.fence(by: thread) }]
        case .readSlot: return try reads(state, thread, slot, expected: locals.own + 1)
        case .futexWait(let word): return sleeps(state, thread, word)
        case .futexWake(let word): return [after(state, thread) { wake(&$0, thread, word) }]
        case .awaitRoom: return roomy(state, thread, locals.own)
        case .ringDoorbell:
            return [
                after(state, thread) {
                    $0.memory.lock(Self.doorbell, by: thread)
                    $0.doorbellHasRung = true
                }
            ]
        case .awaitDoorbell:
            guard state.doorbellHasRung else { return [] }
            return [
                after(state, thread) {
                    $0.doorbellHasRung = false
                    $0.memory.lock(Self.doorbell, by: thread)
                }
            ]
        }
    }

    /// The state after a step that `change` makes; a step that does not jump goes on to the next.
    private func after(_ state: State, _ thread: Int, _ change: (inout State) -> Void) -> State {
        var next = state
        change(&next)
        if next.threads[thread].step == state.threads[thread].step { next.threads[thread].step += 1 }
        settle(thread, &next)
        next.memory.forget(readers: next.threads.indices.filter { !next.threads[$0].hasEnded })
        return next
    }

    private func stores(
        _ state: State, _ thread: Int, _ location: Int, _ value: UInt8, _ order: WeakMemory.Order
    ) -> [State] {
        state.memory.writable(location, by: thread).map { place in
            after(state, thread) { $0.memory.write(value, to: location, at: place, by: thread, order) }
        }
    }

    private func reads(_ state: State, _ thread: Int, _ slot: Int, expected: UInt8) throws(WrongFrame) -> [State] {
        var next: [State] = []
        for place in state.memory.readable(slot, by: thread) {
            var found: UInt8 = 0
            next.append(after(state, thread) { found = $0.memory.read(slot, at: place, by: thread, .relaxed) })
            guard found == expected else { throw WrongFrame() }
        }
        return next
    }

    /// The kernel looks at the word and puts the caller to sleep in one step, as far as anybody who wakes can tell.
    private func sleeps(_ state: State, _ thread: Int, _ word: Int) -> [State] {
        var locked = state
        locked.memory.lock(Self.futexes, by: thread)
        return locked.memory.readable(word, by: thread).map { place in
            after(locked, thread) {
                if $0.memory.read(word, at: place, by: thread, .relaxed) == 1 { $0.threads[thread].asleep = word }
            }
        }
    }

    private func wake(_ state: inout State, _ thread: Int, _ word: Int) {
        state.memory.lock(Self.futexes, by: thread)
        for other in state.threads.indices where state.threads[other].asleep == word {
            state.threads[other].asleep = nil
            state.memory.lock(Self.futexes, by: other)
        }
    }

    private func roomy(_ state: State, _ thread: Int, _ own: UInt8) -> [State] {
        state.memory.readable(Place.head, by: thread).compactMap { place in
            var head: UInt8 = 0
            let next = after(state, thread) { head = $0.memory.read(Place.head, at: place, by: thread, .ordered) }
            return Int(own) - Int(head) < capacity ? next : nil
        }
    }
}
