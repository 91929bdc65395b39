import RoostBasics
import RoostTensors
import RoostLoad
import Testing

extension RequestBodies {
    fileprivate mutating func next() -> String {
        var body = ByteBuffer()
        let expected = nextByteCount
        appendNext(to: &body)
        #expect(body.count == expected)
        return body.bytes.text
    }

    fileprivate mutating func next(_ count: Int) -> [String] { (0..<count).map { _ in next() } }
}

private let table = Signature(
    inputs: [TensorSpec(name: "table", dtype: .float64, shape: [-1, 2])], outputs: [],
    columns: [Column(name: "color", kind: .category, categories: ["red", "light blue"]), Column(name: "size")])
private let plain = Signature(inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 2])], outputs: [])

@Suite struct RequestBodiesTests {
    private func json(_ text: String, _ rows: Int = 1) throws -> RequestBodies {
        try RequestBodies(json: Array(text.utf8), rowsPerRequest: rows)
    }
    private func csv(_ text: String, _ signature: Signature = plain, _ rows: Int = 1) throws -> RequestBodies {
        try RequestBodies(csv: Array(text.utf8), for: signature, rowsPerRequest: rows)
    }

    @Test func jsonRowsAreUsedInTurn() throws {
        var bodies = try json(" [[1, 2] , [3,4],\n[5,NaN] ] ")
        #expect(bodies.kind == .rows)
        #expect(bodies.next(4) == ["[[1, 2]]", "[[3,4]]", "[[5,NaN]]", "[[1, 2]]"])
        var pairs = try json("[[1],[2],[3]]", 2)
        #expect(pairs.next(3) == ["[[1],[2]]", "[[3],[1]]", "[[2],[3]]"])
        var many = try json("[[1]]", 3)
        #expect(many.next() == "[[1],[1],[1]]")
    }

    @Test func objectsOneRowAndLinesAreRowsToo() throws {
        var objects = try json(#"[{"a": "x]}\"[", "b": {"c": [1]}}, {"a": "\\"}]"#)
        #expect(objects.next(2) == [#"[{"a": "x]}\"[", "b": {"c": [1]}}]"#, #"[{"a": "\\"}]"#])
        var one = try json("[1, 2, 3]")
        #expect(one.next() == "[[1, 2, 3]]")
        var object = try json(#"{"a": 1, "b": {"inputs": []}, "c": "inputs"}"#)
        #expect(object.next() == #"[{"a": 1, "b": {"inputs": []}, "c": "inputs"}]"#)
        var lines = try json("[1,2]\n\n[3,4]\n")
        #expect(lines.next(2) == ["[[1,2]]", "[[3,4]]"])
        var named = try json("{\"a\": 1}\n{\"a\": 2}")
        #expect(named.next(2) == [#"[{"a": 1}]"#, #"[{"a": 2}]"#])
    }

    @Test func aWholeRequestIsSentAsItIs() throws {
        let text = #"{"id": "1", "inputs" : [{"name": "features"}]}"#
        var bodies = try json(text)
        #expect(bodies.kind == .tensors)
        #expect(bodies.next(2) == [text, text])
        #expect(throws: RoostError.self) { try json(text, 2) }
    }

    @Test(arguments: ["", "  ", "[]", "[[1,2]", "[[1] [2]]", "hello", #"["a"#, #"{"a": "b}"#, "[[1], 2]", "3 [1]"])
    func whatIsNoRowsIsRefused(text: String) {
        #expect(throws: RoostError.self) { try json(text) }
    }

    @Test func theLineOfAMistakeIsNamed() {
        #expect { try json("[[1],\n[2]\n[3]]") } throws: { "\($0)" == "line 3: expected ',' between rows" }
        #expect { try csv("a,b\n1,\"2\n3,4\n") } throws: { "\($0)" == "line 2: a quote is not closed" }
    }

    @Test func csvRowsKeepTheirHeader() throws {
        var bodies = try csv("\u{FEFF}age,income\r\n1,2\r\n\r\n\"3\",\"4\"", plain, 1)
        #expect(bodies.kind == .csv)
        #expect(bodies.next(3) == ["age,income\n1,2\n", "age,income\n\"3\",\"4\"\n", "age,income\n1,2\n"])
        var without = try csv("1,2\n3,4\n", plain, 2)
        #expect(without.next() == "1,2\n3,4\n")
        var quoted = try csv("color,size\n\"light\n \"\"blue\"\"\",1\nred,2\n", table)
        #expect(quoted.next(2) == ["color,size\n\"light\n \"\"blue\"\"\",1\n", "color,size\nred,2\n"])
    }

    @Test func aHeaderIsOneByTheHostsRules() throws {
        let rows = { (text: String) in try csv(text, table).count }
        #expect(try rows("color,size\nred,1\n") == 1)
        #expect(try rows("red,1\nred,2\n") == 2, "a number")
        #expect(try rows("red,\nred,2\n") == 2, "a missing number")
        #expect(try rows("light blue,x\nred,2\n") == 2, "a word that its column knows")
        #expect(try rows("colour,x\nred,2\n") == 1, "no word that its column knows")
        #expect(try rows(" id , \"size\",color\n1,2,red\n") == 1)
        let words = Signature(inputs: [TensorSpec(name: "w", dtype: .bytes, shape: [-1, 1])], outputs: [])
        #expect(try csv("hello\nworld\n", words).count == 2)
        #expect(try csv("w\nworld\n", words).count == 1)
        #expect(throws: RoostError.self) { try csv("age,income\n") }
    }

    @Test func madeTensorsFitTheSignature() throws {
        let signature = Signature(
            inputs: [
                TensorSpec(name: "a\"b", dtype: .bool, shape: [-1]),
                TensorSpec(name: "i", dtype: .int8, shape: [-1, 2]),
                TensorSpec(name: "s", dtype: .bytes, shape: [-1, 1, -1]),
            ], outputs: [])
        var bodies = try RequestBodies(madeFor: signature, rowsPerRequest: 3, seed: 5)
        #expect(bodies.kind == .tensors)
        let text = bodies.next()
        let pattern =
            #/\{"inputs":\[\{"name":"a\\"b","shape":\[3\],"datatype":"BOOL","data":\[((true|false),?){3}\]\},\{"name":"i","shape":\[3,2\],"datatype":"INT8","data":\[(\d+,?){6}\]\},\{"name":"s","shape":\[3,1,1\],"datatype":"BYTES","data":\[("word\d+",?){3}\]\}\]\}/#
        #expect(text.wholeMatch(of: pattern) != nil, "\(text)")
        var again = try RequestBodies(madeFor: signature, rowsPerRequest: 3, seed: 5)
        #expect(again.next() == text)
        var other = try RequestBodies(madeFor: signature, rowsPerRequest: 3, seed: 6)
        #expect(other.next(5) != again.next(5))
        #expect(Set(bodies.next(20)).count > 10, "requests differ")
    }

    @Test func categoriesArePlacesInTensorsAndWordsInRows() throws {
        var tensors = try RequestBodies(madeFor: table)
        let placed = #/\{"inputs":\[\{"name":"table","shape":\[1,2\],"datatype":"FP64","data":\[[01],\d+\.\d\d\]\}\]\}/#
        for body in tensors.next(20) { #expect(body.wholeMatch(of: placed) != nil, "\(body)") }
        var rows = try RequestBodies(madeFor: table, asRows: true, rowsPerRequest: 2)
        #expect(rows.kind == .rows)
        let worded = #/\[(\["(red|light blue)",\d+\.\d\d\],?){2}\]/#
        for body in rows.next(20) { #expect(body.wholeMatch(of: worded) != nil, "\(body)") }
        let two = Signature(
            inputs: [
                TensorSpec(name: "x", dtype: .int32, shape: [-1]),
                TensorSpec(name: "y", dtype: .int32, shape: [-1, 2]),
            ], outputs: [])
        var objects = try RequestBodies(madeFor: two, asRows: true)
        let object = objects.next()
        #expect(object.wholeMatch(of: #/\[\{"x":\d+,"y":\[\d+,\d+\]\}\]/#) != nil, "\(object)")
    }

    @Test func whatIsMadeIsBounded() throws {
        let wide = Signature(inputs: [TensorSpec(name: "x", dtype: .float32, shape: [-1, 1000])], outputs: [])
        let bodies = try RequestBodies(madeFor: wide, rowsPerRequest: 500)
        #expect(bodies.count == 2, "each has two megabytes")
        #expect(try RequestBodies(madeFor: plain).count == 512)
        #expect(throws: RoostError.self) { try RequestBodies(madeFor: Signature(inputs: [], outputs: [])) }
    }
}
