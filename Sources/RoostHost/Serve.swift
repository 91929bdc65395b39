internal import Glibc
internal import RoostBasics
internal import RoostFiles
internal import RoostLoop

/// Serves until SIGTERM or SIGINT; returns the process's exit code.
///
/// The first signal ends it gracefully: no new connections, what runs is finished within the drain time. A second one
/// ends it at once.
public func serve(_ options: ServeOptions) -> Int32 {
    do {
        var options = options
        options.openFilesMax = OpenFileLimit.raise()
        ThisProcess.takeShortTurns()
        ThisProcess.keepFreedMemory()
        let host = try Host(options)
        var signals: [SignalWatcher] = []
        var patience: Timer?
        var isEnding = false
        let end: () -> Void = {
            for signal in signals { signal.close() }
            patience?.close()
        }
        for number in [SIGTERM, SIGINT] {
            signals.append(
                try SignalWatcher(number, on: host.loop) {
                    if isEnding {
                        Console.warn("roost: second signal: ending at once")
                        exit(1)
                    }
                    isEnding = true
                    Console.print("roost: draining: finishing what runs, for at most \(options.drain)")
                    patience = try? Timer(on: host.loop)
                    try? patience?.start(after: options.drain) {
                        Console.warn("roost: the drain time is over: ending what still runs")
                        host.close(then: end)
                    }
                    host.drain(then: end)
                })
        }
        try host.start()
        Console.print("roost: listening on http://\(options.listen.host):\(host.port)")
        host.loop.run()
        Console.print("roost: ended")
        return 0
    } catch {
        Console.warn("roost: \(error)")
        return 1
    }
}
