internal import RoostBasics
internal import RoostLoop

/// Callers who wait until a function is loaded: each hears once that it is, or why not.
///
/// Belongs to the loop.
final class LoadWaiters {
    private struct Waiter {
        var missing: Set<VersionID>
        let due: Instant
        let answer: (RoostError?) -> Void
    }

    private let loop: Loop
    private let clock: Timer
    private var waiters: [Waiter] = []

    init(on loop: Loop) throws(UVError) {
        self.loop = loop
        clock = try Timer(on: loop)
    }

    /// - Parameters:
    ///   - missing: the versions that are not loaded; all of one function.
    ///   - answer: nil when they are.
    func wait(for missing: Set<VersionID>, atMost patience: Instant.Span, _ answer: @escaping (RoostError?) -> Void) {
        waiters.append(Waiter(missing: missing, due: loop.now + patience, answer: answer))
        setClock()
    }

    func loaded(_ id: VersionID, _ error: RoostError?) {
        guard waiters.contains(where: { $0.missing.contains(id) }) else { return }
        settle { waiter in
            guard waiter.missing.remove(id) != nil else { return nil }
            if let error { return .failure(error) }
            return waiter.missing.isEmpty ? .success(()) : nil
        }
    }

    /// Somebody has taken it out of service: nobody loads it any more.
    func absent(_ name: FunctionName) {
        settle { waiter in
            guard waiter.missing.contains(where: { $0.function == name }) else { return nil }
            return .failure(RoostError(.conflict, "\(name) was unloaded meanwhile"))
        }
    }

    func close() {
        waiters = []
        clock.close()
    }

    /// Answers whoever `verdict` has something for.
    private func settle(_ verdict: (inout Waiter) -> Result<Void, RoostError>?) {
        var answers: [() -> Void] = []
        waiters = waiters.compactMap { waiter -> Waiter? in
            var waiter = waiter
            guard let result = verdict(&waiter) else { return waiter }
            let answer = waiter.answer
            switch result {
            case .success: answers.append { answer(nil) }
            case .failure(let error): answers.append { answer(error) }
            }
            return nil
        }
        // Whoever is answered may ask for more.
        for answer in answers { answer() }
        setClock()
    }

    private func setClock() {
        guard let next = waiters.map(\.due).min() else { return clock.stop() }
        // A timer that cannot start is a closed one: the host is ending.
        try? clock.start(after: next - loop.now) { [unowned self] in
            let now = loop.now
            settle { waiter in
                guard waiter.due <= now else { return nil }
                let names = waiter.missing.sorted().map(\.description).joined(separator: ", ")
                return .failure(RoostError(.deadline, "\(names) has not been loaded in time: see `roost logs`"))
            }
        }
    }
}
