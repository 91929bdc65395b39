/// What must be read, and how; and what must be refused: requests of which two parsers may make different things.
struct Case: CustomStringConvertible, Sendable {
    let name: String
    let input: String
    let result: [String]
    var description: String { name }

    init(_ name: String, _ input: String, _ result: String...) {
        (self.name, self.input, self.result) = (name, input, result)
    }
    /// A request refused with this status, whatever the words.
    init(_ name: String, refused status: Int, _ input: String) {
        (self.name, self.input, self.result) = (name, input, ["\(status)"])
    }
}

private let get = "GET / HTTP/1.1\r\nHost: a\r\n"
private let post = "POST /p HTTP/1.1\r\nHost: a\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
private let read = "get / 1.1 keep host=a."
private let chunkHead = "post /p 1.1 keep host=a"

let accepted: [Case] = [
    Case("plain", get + "\r\n", read),
    Case("two in one", get + "\r\n" + get + "\r\n", read, read),
    Case("empty line before", "\r\n" + get + "\r\n", read),
    Case("body", post + "Content-Length: 5\r\n\r\nhello", "post /p 1.1 keep host=a body=hello."),
    Case("empty body", post + "Content-Length: 0\r\n\r\n", "post /p 1.1 keep host=a."),
    Case("no length is no body", post + "\r\n" + get + "\r\n", "post /p 1.1 keep host=a.", read),
    Case(
        "body that looks like a request", post + "Content-Length: 27\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
        "post /p 1.1 keep host=a body=GET / HTTP/1.1\r\nHost: b\r\n\r\n."),
    Case(
        "length with space around", post + "Content-Length: \t 5 \r\n\r\nhello", "post /p 1.1 keep host=a body=hello."),
    Case("upper-case header", "GET / HTTP/1.1\r\nHOST: a\r\n\r\n", read),
    Case("no space after colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", read),
    Case("empty header value", get + "X:\r\n\r\n", read),
    Case("empty value with space", get + "X: \r\nY: 1\r\n\r\n", read),
    Case("1.0 closes", "GET / HTTP/1.0\r\n\r\n", "get / 1.0 close."),
    Case("1.0 kept", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "get / 1.0 keep host=a."),
    Case("1.1 closed", get + "Connection: close\r\n\r\n", "get / 1.1 close host=a."),
    Case("connection list", get + "Connection: foo, Close\r\n\r\n", "get / 1.1 close host=a."),
    Case("query", "GET /a?b=c&d=%20 HTTP/1.1\r\nHost: a\r\n\r\n", "get /a?b=c&d=%20 1.1 keep host=a."),
    Case("percent", "GET /a%20b%2fc%41 HTTP/1.1\r\nHost: a\r\n\r\n", "get /a b%2fcA 1.1 keep host=a."),
    Case("percent once", "GET /%2541 HTTP/1.1\r\nHost: a\r\n\r\n", "get /%41 1.1 keep host=a."),
    Case("absolute", "GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "get /x?y 1.1 keep host=b:80."),
    Case("absolute without path", "GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n", "get / 1.1 keep host=b."),
    Case("absolute with a query only", "GET http://b?c HTTP/1.1\r\nHost: a\r\n\r\n", "get /?c 1.1 keep host=b."),
    Case("options star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "options * 1.1 keep host=a."),
    Case("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "get / 1.1 keep host=."),
    Case("IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "get / 1.1 keep host=[::1]:8080."),
    Case("other method", "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", "other / 1.1 keep host=a."),
    Case("upgrade is not taken", get + "Connection: upgrade\r\nUpgrade: x\r\n\r\n" + get + "\r\n", read, read),
    Case(
        "upgrade with a body", post + "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhi" + get + "\r\n",
        "post /p 1.1 keep host=a body=hi.", read),
    Case("chunks", chunked + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", chunkHead + " body=hello world."),
    Case("chunks, then another", chunked + "1\r\nx\r\n0\r\n\r\n" + get + "\r\n", chunkHead + " body=x.", read),
    Case("no chunks", chunked + "0\r\n\r\n", chunkHead + "."),
    Case("hexadecimal size", chunked + "A\r\n0123456789\r\n0\r\n\r\n", chunkHead + " body=0123456789."),
    Case("leading zeros in a size", chunked + "0002\r\nhi\r\n0\r\n\r\n", chunkHead + " body=hi."),
    Case("chunk extension", chunked + "2;a=b\r\nhi\r\n0\r\n\r\n", chunkHead + " body=hi."),
    Case("trailer", chunked + "2\r\nhi\r\n0\r\nX: y\r\n\r\n" + get + "\r\n", chunkHead + " body=hi.", read),
    Case(
        "trailer that names framing", chunked + "2\r\nhi\r\n0\r\nHost: evil\r\n\r\n" + get + "\r\n",
        chunkHead + " body=hi.", read),
    Case(
        "chunked in capitals", post + "Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n", chunkHead + " body=x."),
]

let refused: [Case] = [
    Case("length and chunked", refused: 400, post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("chunked and length", refused: 400, post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    Case("two lengths", refused: 400, post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    Case("the same length twice", refused: 400, post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    Case("list of lengths", refused: 400, post + "Content-Length: 5, 5\r\n\r\nhello"),
    Case("negative length", refused: 400, post + "Content-Length: -5\r\n\r\nhello"),
    Case("signed length", refused: 400, post + "Content-Length: +5\r\n\r\nhello"),
    Case("hexadecimal length", refused: 400, post + "Content-Length: 0x5\r\n\r\nhello"),
    Case("fraction", refused: 400, post + "Content-Length: 5.0\r\n\r\nhello"),
    Case("length with a space within", refused: 400, post + "Content-Length: 5 5\r\n\r\nhello"),
    Case("empty length", refused: 400, post + "Content-Length:\r\n\r\nhello"),
    Case("length beyond 64 bits", refused: 400, post + "Content-Length: 18446744073709551617\r\n\r\nx"),
    Case("length with a vertical tab", refused: 400, post + "Content-Length: \u{0b}5\r\n\r\nhello"),
    Case("space before the colon", refused: 400, post + "Content-Length : 5\r\n\r\nhello"),
    Case("tab before the colon", refused: 400, post + "Content-Length\t: 5\r\n\r\nhello"),
    Case("space before a header", refused: 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    Case("folded value", refused: 400, get + "X: a\r\n b\r\n\r\n"),
    Case("folded by a tab", refused: 400, get + "X: a\r\n\tb\r\n\r\n"),
    Case("folded framing", refused: 400, post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    Case("folded to nothing", refused: 400, get + "X:\r\n \r\n\r\n"),
    Case("bare LF after the request line", refused: 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    Case("bare LF after a header", refused: 400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    Case("bare LF at the end", refused: 400, get + "\n"),
    Case("bare LF before the request", refused: 400, "\n" + get + "\r\n"),
    Case("lone CR before the request", refused: 400, "\r" + get + "\r\n"),
    Case("lone CR before an empty line", refused: 400, "\r\r\n" + get + "\r\n"),
    Case("lone CR in a value", refused: 400, get + "X: a\rb\r\n\r\n"),
    Case("lone CR as line end", refused: 400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    Case("header smuggled behind a CR", refused: 400, get + "X: a\rTransfer-Encoding: chunked\r\n\r\n"),
    Case("NUL in a value", refused: 400, get + "X: a\0b\r\n\r\n"),
    Case("NUL in a name", refused: 400, get + "X\0: a\r\n\r\n"),
    Case("no Host", refused: 400, "GET / HTTP/1.1\r\n\r\n"),
    Case("two Hosts", refused: 400, get + "Host: a\r\n\r\n"),
    Case("two Hosts, 1.0", refused: 400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    Case("Host with a comma", refused: 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    Case("Host with a user", refused: 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    Case("Host with two ports", refused: 400, "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    Case("Host whose port is none", refused: 400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    Case("Host with half a bracket", refused: 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    Case("Host with a bracket within", refused: 400, "GET / HTTP/1.1\r\nHost: a[b]\r\n\r\n"),
    Case("Host with empty brackets", refused: 400, "GET / HTTP/1.1\r\nHost: []:80\r\n\r\n"),
    Case("Host with a path", refused: 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Case("header without colon", refused: 400, get + "X\r\n\r\n"),
    Case("empty header name", refused: 400, get + ": x\r\n\r\n"),
    Case("bracket in a name", refused: 400, get + "X(: x\r\n\r\n"),
    Case("coding before chunked", refused: 501, post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    Case("chunked not last", refused: 400, post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    Case("identity", refused: 400, post + "Transfer-Encoding: identity\r\n\r\nhello"),
    Case("chunked twice", refused: 400, chunked.dropLast(2) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("almost chunked", refused: 400, post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    Case("chunked behind a vertical tab", refused: 400, post + "Transfer-Encoding: \u{0b}chunked\r\n\r\n0\r\n\r\n"),
    // llhttp takes the tab for a part of the name, and what follows for the next request.
    Case(
        "chunked before a tab", refused: 400,
        post + "Transfer-Encoding: chunked\t\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n"),
    Case("chunked before a space and a tab", refused: 400, post + "Transfer-Encoding: chunked \t\r\n\r\n0\r\n\r\n"),
    Case("quoted chunked", refused: 400, post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    Case("empty coding", refused: 400, post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    Case("chunked in 1.0", refused: 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("HTTP/2.0", refused: 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    Case("HTTP/0.9", refused: 400, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    Case("HTTP/1.2", refused: 400, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    Case("no version", refused: 400, "GET /\r\nHost: a\r\n\r\n"),
    Case("no version, and nothing else", refused: 400, "GET /\r\n"),
    Case("h2 preface", refused: 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Case("TLS", refused: 400, "\u{16}\u{03}\u{01}"),
    Case("lower-case method", refused: 400, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("unknown method", refused: 400, "GETT / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("CONNECT", refused: 501, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("RTSP", refused: 400, "DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"),
    Case("two spaces before the target", refused: 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("two spaces after the target", refused: 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("space in the target", refused: 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("control character in the target", refused: 400, "GET /\u{01} HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("fragment", refused: 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("fragment after a query", refused: 400, "GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("half an escape", refused: 400, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("no escape", refused: 400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("escaped NUL", refused: 400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("star for GET", refused: 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("relative target", refused: 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("other scheme", refused: 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("user in the target", refused: 400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("chunk size with a sign", refused: 400, chunked + "+2\r\nhi\r\n0\r\n\r\n"),
    Case("chunk size 0x", refused: 400, chunked + "0x2\r\nhi\r\n0\r\n\r\n"),
    Case("chunk size beyond 64 bits", refused: 400, chunked + "10000000000000000\r\nhi\r\n0\r\n\r\n"),
    Case("no chunk size", refused: 400, chunked + "\r\nhi\r\n0\r\n\r\n"),
    Case("bare LF after a chunk size", refused: 400, chunked + "2\nhi\r\n0\r\n\r\n"),
    Case("bare LF in an extension", refused: 400, chunked + "2;a\nhi\r\n0\r\n\r\n"),
    Case("bare LF after a chunk", refused: 400, chunked + "2\r\nhi\n0\r\n\r\n"),
    Case("bare LF after the last chunk", refused: 400, chunked + "1\r\nx\r\n0\r\n\n" + get + "\r\n"),
    Case("bare LF after a trailer", refused: 400, chunked + "0\r\nX: y\r\n\n"),
    Case("trailer without a name", refused: 400, chunked + "0\r\n: y\r\n\r\n"),
    Case("chunk longer than it says", refused: 400, chunked + "2\r\nhiho\r\n0\r\n\r\n"),
    Case("endless extension", refused: 400, chunked + "2;" + String(repeating: "a", count: 9_000) + "\r\nhi\r\n"),
    Case("endless trailers", refused: 400, chunked + "0\r\nX: " + String(repeating: "a", count: 9_000) + "\r\n\r\n"),
    Case("endless head", refused: 431, get + "X: " + String(repeating: "a", count: 20_000) + "\r\n\r\n"),
    Case("endless target", refused: 414, "GET /" + String(repeating: "a", count: 20_000)),
    Case("endless empty lines", refused: 431, String(repeating: "\r\n", count: 9_000)),
]
