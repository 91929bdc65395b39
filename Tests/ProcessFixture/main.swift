// Both sides of the process model, for tests: `starter` is roost-instance with a test's way of serving,
// `host` is a host that loads a plugin, forks, and waits to be killed.
import Glibc
import RoostInstance

if CommandLine.arguments.count > 2, CommandLine.arguments[1] == "host" {
    try FixtureHost.run(plugin: CommandLine.arguments[2], options: Array(CommandLine.arguments.dropFirst(3)))
} else {
    exit(InstanceMain.run(CommandLine.arguments, .forTests))
}
