/// The release that this code is, as `roost --version` and `GET /functions` say it.
public let roostRelease = "0.1.0"
