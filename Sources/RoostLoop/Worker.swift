internal import Glibc

/// What a new thread runs. Not generic, because a C function cannot be made from generic code.
private class ThreadMain {
    func run() {}
}

/// One thread beside the loop, for what would make the loop wait: disks, digests.
///
/// Jobs run one after the other in the order of `submit`; each result comes back on the loop in that order.
public final class Worker<Message: Sendable> {
    private enum Answer: Sendable { case result(Message), ended }

    private let jobs: JobQueue
    private let mailbox: Mailbox<Answer>
    private var thread: pthread_t

    /// `onResult` runs on `loop` for each job.
    public init(on loop: Loop, onResult: @escaping (Message) -> Void) throws(UVError) {
        let jobs = JobQueue()
        self.jobs = jobs
        var ended: () -> Void = {}
        mailbox = try Mailbox(on: loop) { answer in
            switch answer {
            case .result(let message): onResult(message)
            case .ended: ended()
            }
        }
        let body = ThreadBody(jobs: jobs, sender: mailbox.sender)
        thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<ThreadMain>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, Unmanaged<ThreadMain>.passRetained(body).toOpaque())
        guard status == 0 else {
            unsafe Unmanaged<ThreadMain>.passUnretained(body).release()
            mailbox.close()
            throw UVError(code: -status, operation: "pthread_create")
        }
        let (thread, mailbox) = (thread, mailbox)
        ended = {
            // The thread has nothing left to do, so this does not wait.
            pthread_join(thread, nil)
            mailbox.close()
        }
    }

    /// False once `close` was called. The closure runs on the worker's thread.
    @discardableResult
    public func submit(_ work: @escaping @Sendable () -> Message) -> Bool { jobs.put(work) }

    /// What was submitted still runs and answers; then the thread ends and the loop is free of it.
    public func close() { jobs.shut() }

    /// Instead of `close`, for work that may take long and that nobody waits for any more: the loop is free of it at
    /// once, and nothing answers.
    public func abandon() {
        jobs.shut()
        pthread_detach(thread)
        mailbox.close()
    }

    private final class ThreadBody: ThreadMain {
        let jobs: JobQueue
        let sender: Mailbox<Answer>.Sender

        init(jobs: JobQueue, sender: Mailbox<Answer>.Sender) {
            self.jobs = jobs
            self.sender = sender
        }

        override func run() {
            while let job = jobs.take() { sender.send(.result(job())) }
            sender.send(.ended)
        }
    }

    /// Waiting jobs behind a lock and a condition.
    ///
    /// Unchecked: both fields are touched only while `mutex` is held. Safe: mutex and condition are allocated once,
    /// never move, and outlive every caller because callers retain the queue.
    @safe private final class JobQueue: @unchecked Sendable {
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let filled: UnsafeMutablePointer<pthread_cond_t>
        private var waiting: [@Sendable () -> Message] = []
        private var next = 0
        private var isShut = false

        init() {
            unsafe mutex = .allocate(capacity: 1)
            unsafe filled = .allocate(capacity: 1)
            let made = unsafe pthread_mutex_init(mutex, nil) | pthread_cond_init(filled, nil)
            precondition(made == 0, "pthread_mutex_init or pthread_cond_init failed")
        }

        func put(_ job: @escaping @Sendable () -> Message) -> Bool {
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            guard !isShut else { return false }
            waiting.append(job)
            unsafe pthread_cond_signal(filled)
            return true
        }

        func shut() {
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            isShut = true
            unsafe pthread_cond_signal(filled)
        }

        /// Waits for a job; nil when shut and empty.
        func take() -> (@Sendable () -> Message)? {
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            while next == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                next = 0
                if isShut { return nil }
                unsafe pthread_cond_wait(filled, mutex)
            }
            defer { next += 1 }
            return waiting[next]
        }

        deinit {
            unsafe pthread_mutex_destroy(mutex)
            unsafe pthread_cond_destroy(filled)
            unsafe mutex.deallocate()
            unsafe filled.deallocate()
        }
    }
}
