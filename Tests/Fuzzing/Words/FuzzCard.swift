import RoostFunctions
import RoostJSON
import RoostTensors

/// The input is a document: a card, or the signature that a template reports.
func fuzzCard(_ input: [UInt8]) throws {
    guard let document = try? JSONDocument(parsing: input, source: "card") else { return }
    do {
        let card = try Card(document)
        try expect(card.json == document.value, "a card is kept otherwise")
        for column in card.columns { try expect(!column.column.name.isEmpty, "a column without a name") }
    } catch let error as JSONError {
        try expect(error.place.line > 0 && error.place.column > 0, "an error at no place: \(error)")
    }
    guard let signature = try? Signature(document.root) else { return }
    let again = try Signature(JSONDocument(parsing: signature.json.compact, source: "again").root)
    try expect(again == signature, "a signature is written otherwise: \(signature.json.compact)")
    try expect(signature.incompatibility(with: signature) == nil, "a signature does not fit itself")
}
