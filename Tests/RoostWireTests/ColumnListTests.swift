import RoostBasics
import RoostTensors
import RoostWire
import Testing

@Suite struct ColumnListTests {
    private let columns = [
        Column(name: "income", missingAllowed: false), Column(name: "größe"),
        Column(name: "region", kind: .category, categories: ["north", "south", ""]),
    ]

    @Test func listsTravel() throws {
        for list in [[], columns] { #expect(try ColumnList.decode(ColumnList.encode(list).bytes) == list) }
    }

    @Test func everyTruncationIsRefused() {
        let bytes = ColumnList.encode(columns)
        for count in 0..<bytes.count {
            #expect(throws: RoostError.self) { try ColumnList.decode(Array(bytes[..<count]).bytes) }
        }
        #expect(throws: RoostError.self) { try ColumnList.decode((bytes + [0]).bytes) }
    }
}
