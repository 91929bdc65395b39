import CRoost
import Glibc
import RoostBasics
import RoostELF

/// The input is a file in the drop folder. What is taken for a runtime can be packed, and the packed file is whole and
/// holds what was put into it.
func fuzzELF(_ input: [UInt8]) throws {
    let source = ByteSource(input)
    _ = try? FileStructure.examine(source, fileName: "f@1.so")
    guard let plugin = try? PluginFile(source, host: .amd64) else { return }
    if let model = plugin.model { try expect(model.upperBound <= input.count, "a model beyond the file: \(model)") }
    guard var packer = try? Packer(runtime: source, host: .amd64) else { return }
    let (model, card) = (Array(input.suffix(300)), Array("{\"description\":\"é\"}".utf8))
    packer.add(model: ByteSource(model))
    packer.add(card: card)
    // More than the runtime, its names and its table once more can come to.
    let file = roost_memory_file("packed", UInt64(4 * input.count + (1 << 17)))
    guard file >= 0 else { return }
    defer { close(file) }
    let digest: SHA256Digest
    do { digest = try packer.write(to: file) } catch {
        // Only what a plugin file needs was looked at before: its table of names may be refused here.
        return
    }
    let whole = try ByteSource(ByteSource(descriptor: file).read(at: 0, count: Int(lseek(file, 0, SEEK_CUR))))
    let read = try PluginFile(whole, host: .amd64)
    try expect(read.isPacked, "packed, and not known as such")
    try read.checkDigest()
    try expect(try whole.read(at: whole.size - 32, count: 32) == digest.bytes, "another digest at the end")
    try expect(read.card == card, "another card")
    try expect(read.abiVersion == plugin.abiVersion && read.flags == plugin.flags, "another record")
    guard let place = read.model else { throw Broken(description: "no model") }
    try expect(place.lowerBound % 4096 == 0 && place.count == model.count, "the model is at \(place)")
    try expect(try whole.read(at: place.lowerBound, count: place.count) == model, "another model")
    try expect((try? Packer(runtime: whole, host: .amd64)) == nil, "it can be packed twice")
}
