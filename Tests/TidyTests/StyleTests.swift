import Foundation
import Testing

@Suite struct StyleTests {
    private static let linesMax = 500
    private static let functionLinesMax = 60

    @Test func filesStayReadable() {
        for file in Repository.product + Repository.tests where file.lines.count > Self.linesMax {
            Issue.record("\(file.path) has \(file.lines.count) lines, at most \(Self.linesMax)")
        }
    }

    @Test func functionsFitAScreen() {
        for file in Repository.product + Repository.tests where file.isSwift {
            for function in file.code.functions where function.length > Self.functionLinesMax {
                Issue.record(
                    "\(file.path):\(function.line): \(function.length) lines, at most \(Self.functionLinesMax)")
            }
        }
    }

    @Test func nothingTrapsOnWhatComesFromOutside() {
        for file in Repository.product where file.isSwift {
            for place in file.places(of: #/\btry!|\bas!|\bfatalError\(/#, near: ["try!", "as!", "fatalError"]) {
                Issue.record("\(place)")
            }
        }
    }

    @Test func nothingIsLeftForLater() throws {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        let marks = try Regex(#"\b("# + words.joined(separator: "|") + #")\b"#)
        for file in Repository.product + Repository.tests {
            for place in file.places(of: marks, near: words, inComments: true) { Issue.record("\(place)") }
        }
    }

    @Test func namesSayWhatThingsAre() {
        let vague = #/(Util|Utils|Utilities|Helper|Helpers|Manager|Common)/#
        for file in Repository.product + Repository.tests {
            let name = file.path.split(separator: "/").last ?? ""
            if name.contains(vague) { Issue.record("\(file.path): a name that says nothing") }
            guard file.isSwift else { continue }
            for place in file.places(
                of: #/\b(class|struct|enum|protocol|actor|typealias)\s+\w*(Util|Helper|Manager|Common)/#,
                near: ["Util", "Helper", "Manager", "Common"])
            {
                Issue.record("\(place)")
            }
        }
    }

    @Test func testsDoNotSleep() {
        for file in Repository.tests where file.isSwift || file.path.hasSuffix(".py") {
            for place in file.places(of: #/\b(u|nano)?sleep\(/#, near: ["sleep("]) { Issue.record("\(place)") }
        }
    }

    @Test func everythingIsFormatted() throws {
        let folders = ["Package.swift", "Sources", "Tests", "plugins", "functions/cancer/variants/Sources"]
        let (code, _, said) = try Repository.run("swift", ["format", "lint", "--strict", "--parallel", "-r"] + folders)
        #expect(code == 0, "\(said)")
    }
}
