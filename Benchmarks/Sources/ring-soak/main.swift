// Two processes and a channel between them: frames of random sizes in random bursts, with random rests on both sides, so
// that every wake-up comes at every moment. Each side checks that every frame comes once, in order and unchanged.
//
//     ring-soak FRAMES SEED
//
// Half of the frames are requests, half their replies. Ends with 1 at the first fault; nothing that happens for ten
// seconds while frames are on their way is one: a wake-up was lost.
import Glibc

let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "instance", let requests = UInt64(arguments[2]),
    let seed = UInt64(arguments[3])
{
    var side = try InstanceSide(requests: requests, seed: seed)
    try side.run()
} else if arguments.count == 3, let frames = UInt64(arguments[1]), let seed = UInt64(arguments[2]) {
    var side = try HostSide(requests: frames / 2, seed: seed)
    try side.run()
} else {
    print("ring-soak FRAMES SEED")
    exit(2)
}
