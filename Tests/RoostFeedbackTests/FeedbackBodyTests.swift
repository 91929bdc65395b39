import RoostBasics
import RoostFeedback
import Testing

@Suite struct FeedbackBodyTests {
    private func read(_ text: String, _ format: FeedbackBody.Format) throws(RoostError) -> FeedbackBody {
        try FeedbackBody(Array(text.utf8), as: format)
    }

    private static let wanted: [(String, Int, SentLabel)] = [
        ("loan-1", 0, .number(1)), ("loan, 2", 3, .number(0)), ("é\"", 0, .number(-2.5)),
    ]

    @Test(arguments: [
        (
            #"[{"id":"loan-1","label":1},{"key":"loan, 2","row":3,"label":0},{"id":"é\"","row":0,"label":-2.5}]"#,
            FeedbackBody.Format.json
        ),
        (
            "{\"id\":\"loan-1\",\"label\":1}\r\n\n{\"key\":\"loan, 2\",\"row\":3,\"label\":0}\n"
                + "{\"id\":\"é\\\"\",\"label\":-2.5}", .jsonLines
        ),
    ])
    func objectsAndLinesSayTheSame(_ text: String, _ format: FeedbackBody.Format) throws {
        let body = try read(text, format)
        #expect(body.problems.isEmpty && body.items.count == 3)
        for (item, (key, row, label)) in zip(body.items, Self.wanted) {
            #expect(item.key == key && item.row == row && item.label == label)
        }
    }

    @Test func csvSaysTheSameAsCells() throws {
        let body = try read("\u{FEFF}id,row,label\r\nloan-1,0,1\r\n\"loan, 2\",3,0\r\n\"é\"\"\",0,-2.5\r\n", .csv)
        #expect(body.items.map(\.key) == Self.wanted.map(\.0) && body.items.map(\.row) == [0, 3, 0])
        #expect(body.items.map(\.label) == [.cell("1"), .cell("0"), .cell("-2.5")])
        #expect(try read("label,key\n\"a\nb\",x\n1,y", .csv).items.map(\.place) == [2, 4])
        #expect(try read("key,label\nx,1\n", .csv).items.first?.row == 0)
    }

    @Test func oneObjectIsABody() throws {
        let body = try read(#"{"id": 17, "label": true}"#, .json)
        #expect(body.items.map(\.key) == ["17"] && body.items.map(\.label) == [.truth(true)])
    }

    @Test(arguments: [
        (#"[{"label":1}]"#, FeedbackBody.Format.json, "expected \"id\" or \"key\""),
        (#"[{"id":"a","key":"b","label":1}]"#, .json, "one of them"),
        (#"[{"id":"a"}]"#, .json, "it has no \"label\""),
        (#"[{"id":"a","label":null}]"#, .json, "label: expected a number, text, true or false, got null"),
        (#"[{"id":"a","label":[1]}]"#, .json, "got an array"),
        (#"[{"id":"a","lable":1}]"#, .json, "unknown key \"lable\""),
        (#"[{"id":"a","row":-1,"label":1}]"#, .json, "row: expected the row's place"),
        (#"[{"id":"a","row":"0","label":1}]"#, .json, "row: expected the row's place"),
        (#"[{"id":1.5,"label":1}]"#, .json, "id: expected a string, got a number"),
        (#"[{"id":"","label":1}]"#, .json, "id: expected 1 to 1024 bytes, got 0"),
        (#"[7]"#, .json, "expected an object, got an integer"), ("{\"id\":", .jsonLines, "no JSON"),
        ("id,label\na\n", .csv, "expected 2 fields, got 1"), ("id,label\na,\n", .csv, "label: is empty"),
        ("id,row,label\na,first,1\n", .csv, "row: expected the row's place in its request, from 0, got \"first\""),
    ])
    func whatIsWrongWithAnItemIsSaidAndTheOthersStay(
        _ text: String, _ format: FeedbackBody.Format, _ words: String
    ) throws {
        let good = format == .csv ? "" : #"{"id":"b","label":2}"#
        let whole = format == .json ? text.dropLast() + "," + good + "]" : text + "\n" + good
        let body = try read(String(whole), format)
        let reason = try #require(body.problems.first?.reason)
        #expect(reason.contains(words), "\(reason)")
        #expect(body.items.map(\.key) == (good.isEmpty ? [] : ["b"]))
    }

    @Test(arguments: [
        ("", FeedbackBody.Format.json, "body"), ("[]", .json, "there are no labels"),
        ("3", .json, "expected an object"),
        ("{\"id\":\"a\"", .json, "body:1"), ("\n\n", .jsonLines, "there are no labels"), ("", .csv, "empty"),
        ("a,b\n1,2\n", .csv, "unknown column \"a\": the header is id,row,label"),
        ("id,key,label\n", .csv, "there twice"), ("id,row\n", .csv, "the header is id,row,label"),
        ("id,label\n\"a,1\n", .csv, "line 2: a quote is not closed"),
        ("id,label\n\"a\"b,1\n", .csv, "line 2: text behind a closing quote"),
    ])
    func aBodyThatCannotBeReadIsRefused(_ text: String, _ format: FeedbackBody.Format, _ words: String) {
        let error = #expect(throws: RoostError.self) { try read(text, format) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func moreThanTheLimitIsTooLarge() {
        let text = "id,label\n" + String(repeating: "a,1\n", count: FeedbackBody.itemsMax + 1)
        let error = #expect(throws: RoostError.self) { try read(text, .csv) }
        #expect(error?.code == .tooLarge)
    }

    @Test(arguments: [
        (SentLabel.number(1), LabelKind.classNumber, Label.number(1)), (.truth(true), .classNumber, .number(1)),
        (.cell("2"), .classNumber, .number(2)), (.cell("False"), .classNumber, .number(0)),
        (.number(0.5), .number, .number(0.5)), (.cell("-1e3"), .number, .number(-1000)),
        (.text("setosa"), .classText, .text("setosa")), (.cell("1"), .classText, .text("1")),
    ])
    func labelsAreReadAsTheModelAnswers(_ sent: SentLabel, _ kind: LabelKind, _ label: Label) throws {
        #expect(try sent.label(as: kind) == label)
    }

    @Test(arguments: [
        (SentLabel.text("1"), LabelKind.classNumber, "expected the number of a class, got \"1\""),
        (.number(0.5), .classNumber, "expected the number of a class, got 0.5"),
        (.number(3), .classText, "expected the name of a class, as text, got 3"),
        (.truth(true), .classText, "got true"), (.cell("abc"), .number, "expected a number, got \"abc\""),
        (.number(.infinity), .number, "expected a number"), (.cell("nan"), .number, "expected a number"),
        (.number(1), .several, "it takes no label"),
    ])
    func labelsOfAnotherTypeAreRefusedInWords(_ sent: SentLabel, _ kind: LabelKind, _ words: String) {
        let error = #expect(throws: RoostError.self) { try sent.label(as: kind) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
