internal import Glibc
internal import RoostInstance

exit(InstanceMain.run(CommandLine.arguments, .serving))
