import Foundation
import CRoost
import RoostBasics
import Testing

@Suite(.serialized) struct OrphanTests {
    /// A host of its own, which forks an instance and says the pids below it.
    private final class Host {
        let process = Process()
        private(set) var pids: [Int32] = []
        private(set) var lines: [String] = []

        init(_ options: [String]) throws {
            let pipe = Pipe()
            process.executableURL = URL(fileURLWithPath: try Fixtures.binary())
            process.arguments = ["host", try Fixtures.plugin([])] + options
            process.standardOutput = pipe
            try process.run()
            var text = ""
            while !text.contains("ready\n") {
                let bytes = pipe.fileHandleForReading.availableData
                try #require(!bytes.isEmpty, "the host ended: \(text)")
                text += String(decoding: bytes, as: UTF8.self)
            }
            lines = text.split(separator: "\n").map(String.init)
            pids = lines.compactMap(Int32.init)
        }

        /// What runs below the host now, whoever its parent is: everything in the nursery's PID namespace.
        func everything() throws -> [Int32] {
            let nursery = try #require(pids.first)
            let space = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(nursery)/ns/pid")
            return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/ns/pid")) == space
            }
        }
    }

    @Test(arguments: [[], ["forks", "fork"], ["forks", "fork", "double fork"]])
    func nothingOutlivesAKilledHost(options: [String]) throws {
        let host = try Host(options)
        #expect(host.pids.count == 2)
        let below = try host.everything()
        // Nursery, template, instance, and what the instance forked.
        #expect(below.count == 3 + options.count { $0.hasSuffix("fork") }, "\(host.lines) \(below)")
        let pidfds = below.map { roost_pidfd_open($0) }
        host.process.terminate(with: SIGKILL)
        host.process.waitUntilExit()
        for pidfd in pidfds {
            var wanted = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            #expect(unsafe poll(&wanted, 1, 1000) == 1, "still there after a second")
            close(pidfd)
        }
    }
}

extension Process {
    fileprivate func terminate(with signal: Int32) { kill(processIdentifier, signal) }
}
