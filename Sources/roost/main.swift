internal import Glibc
internal import RoostCommand

// A reader that goes away (`roost logs credit | head`) is an error like any other, not a silent death.
signal(SIGPIPE, SIG_IGN)
let roost = Roost(surroundings: ProcessSurroundings(), host: LinkedHost())
exit(roost.run(Array(CommandLine.arguments.dropFirst())))
