import Testing

@Suite struct CodeTextTests {
    @Test func commentsAndStringsVanishAndLinesStay() {
        let text = """
            let a = "unsafe // no" // unsafe
            /* unsafe
               still */ let b = #"x"y"# + "\\"q" + c
            """
        #expect(CodeText(text).text == "let a =  \n\n let b =  +  + c")
    }

    @Test func functionsAreMeasuredToTheirClosingBrace() {
        let text = """
            struct A {
                init(x: Int) {
                    call { $0 }
                }

                func long(
                    y: Int
                ) -> Int {
                    if y { 1 } else { 2 }
                }
                var z: Int { 3 }
            }
            """
        let functions = CodeText(text).functions
        #expect(functions.map(\.line) == [2, 6])
        #expect(functions.map(\.length) == [3, 5])
    }
}
