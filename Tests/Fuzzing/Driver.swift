import Glibc

/// What libFuzzer calls for each input that it thinks up. The environment variable `ROOST_FUZZ` names the target.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    do { try chosen.run(input) } catch {
        say("\(chosen): \(error)")
        abort()  // libFuzzer then keeps the input
    }
    return 0
}

private let chosen: FuzzTarget = {
    if let name = getenv("ROOST_FUZZ"), let target = FuzzTarget.named(String(cString: name)) { return target }
    for target in FuzzTarget.all {
        say("  \(target)\(String(repeating: " ", count: 10 - target.name.count))  \(target.about)")
    }
    exit(2)
}()

private func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(2, line, line.count)
}
