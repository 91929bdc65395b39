"""Requests that have fooled servers, or break RFC 9110 or 9112, byte for byte, and what has to be answered.

A case is `(name, source, bytes, statuses, closes)`. `statuses` are those of all replies, in order: a request that hides
in another one would be answered too, and so make one more. `closes` says whether the host must end the connection
after the last of them; if not, it must answer one more request on it. A source that is a CVE names where another
server was fooled by bytes like these.

`/v2/repository/index` takes a POST with a small JSON body, `/v2/health/live` a GET: neither needs a model.
"""

LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n"
GOOD = LIVE + b"\r\n"
INDEX = b"POST /v2/repository/index HTTP/1.1\r\nHost: x\r\n"
CHUNKED = INDEX + b"Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
END = b"0\r\n\r\n"


def refused(name, source, request, status=400):
    return name, source, request, [status], True


def taken(name, source, request, *statuses):
    return name, source, request, list(statuses) or [200], False


def length(value, body=b"{}"):
    return INDEX + b"Content-Length:" + value + b"\r\n\r\n" + body


def coding(value, body=b"2\r\n{}\r\n" + END):
    return INDEX + b"Transfer-Encoding:" + value + b"\r\n\r\n" + body


def line(text):
    return text + b"\r\nHost: x\r\n\r\n"


def header(text):
    return LIVE + text + b"\r\n\r\n"


TWO_FRAMINGS = [
    refused("CL.TE", "RFC 9112 6.3, CVE-2017-7658 Jetty",
            INDEX + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + END + b"G" + HIDDEN[1:]),
    refused("TE.CL", "RFC 9112 6.3, CVE-2020-10109 Twisted",
            INDEX + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2c\r\n" + HIDDEN + b"\r\n" + END),
    refused("CL.TE with a header between", "RFC 9112 6.3",
            INDEX + b"Content-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n" + END + HIDDEN),
    refused("length 0 beside chunked", "RFC 9112 6.3",
            INDEX + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + END + HIDDEN),
    refused("chunked beside length in a GET", "RFC 9112 6.3",
            LIVE + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + END),
    refused("length and identity", "RFC 9112 6.1", length(b" 2\r\nTransfer-Encoding: identity")),
    refused("length and a coding that is none", "CVE-2022-1705 Go", length(b" 2\r\nTransfer-Encoding: xchunked")),
    refused("chunked in HTTP/1.0", "RFC 9112 6.1",
            b"POST /v2/repository/index HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + END + HIDDEN),
    refused("chunked in HTTP/1.0, kept", "RFC 9112 6.1",
            b"POST /v2/repository/index HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + END),
]

LENGTHS = [
    refused("two lengths", "RFC 9112 6.3, CVE-2020-10108 Twisted", length(b" 2\r\nContent-Length: 35", HIDDEN)),
    refused("two lengths, zero first", "CVE-2013-4286 Tomcat", length(b" 0\r\nContent-Length: 35", HIDDEN)),
    refused("the same length twice", "RFC 9112 6.3", length(b" 2\r\nContent-Length: 2")),
    refused("twice, in other letters", "RFC 9112 6.3", length(b" 2\r\ncONTENT-lENGTH: 2")),
    refused("a list", "RFC 9112 6.3, CVE-2019-16792 waitress", length(b" 2, 2")),
    refused("a list without space", "RFC 9112 6.3", length(b" 2,35", HIDDEN)),
    refused("plus", "RFC 9110 8.6, CVE-2021-32715 hyper", length(b" +2")),
    refused("minus", "RFC 9110 8.6", length(b" -2")),
    refused("minus zero", "RFC 9110 8.6", length(b" -0")),
    refused("hexadecimal", "RFC 9110 8.6", length(b" 0x2")),
    refused("hexadecimal without prefix", "RFC 9110 8.6", length(b" 1a")),
    refused("octal prefix", "RFC 9110 8.6", length(b" 0o2")),
    refused("exponent", "RFC 9110 8.6", length(b" 2e0")),
    refused("fraction", "RFC 9110 8.6", length(b" 2.0")),
    refused("underscore", "RFC 9110 8.6, CVE-2023-47627 aiohttp", length(b" 1_0")),
    refused("space within", "RFC 9110 8.6, CVE-2018-7159 Node", length(b" 2 5")),
    refused("tab within", "RFC 9110 8.6", length(b" 2\t5")),
    refused("empty", "RFC 9110 8.6, CVE-2023-40225 HAProxy", length(b"")),
    refused("only a space", "RFC 9110 8.6, CVE-2023-40225 HAProxy", length(b" ")),
    refused("quoted", "RFC 9110 8.6", length(b' "2"')),
    refused("semicolon", "RFC 9110 8.6", length(b" 2;")),
    refused("2^64", "RFC 9110 8.6, CVE-2014-0099 Tomcat", length(b" 18446744073709551616")),
    refused("2^64 + 2, which wraps to 2", "CVE-2014-0099 Tomcat", length(b" 18446744073709551618")),
    refused("2^63", "RFC 9110 8.6", length(b" 9223372036854775808"), 413),
    refused("2^32 + 2, which a smaller word takes for 2", "CVE-2014-0099 Tomcat", length(b" 4294967298"), 413),
    refused("a hundred digits", "RFC 9110 8.6", length(b" " + b"9" * 100)),
    refused("other digits", "RFC 9110 8.6, CVE-2023-47627 aiohttp", length(" ٢".encode())),
    refused("a vertical tab before", "CVE-2019-16789 waitress", length(b" \x0b2")),
    refused("a form feed behind", "CVE-2019-16789 waitress", length(b" 2\x0c")),
    refused("NUL behind", "RFC 9110 5.5", length(b" 2\x00")),
    refused("no-break space", "RFC 9110 8.6", length(b" \xa02")),
    taken("leading zeros", "RFC 9110 8.6", length(b" 00002")),
    taken("space around", "RFC 9110 5.5", length(b" \t 2  ")),
    refused("a tab behind", "CVE-2019-16789 waitress", length(b" 2\t")),
    taken("no space", "RFC 9110 5.5", length(b"2")),
    taken("a request within a body", "RFC 9112 6", length(b" %d" % len(HIDDEN), HIDDEN), 400),
    taken("a body in a GET", "RFC 9110 9.3.1", LIVE + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN),
    taken("a body in a HEAD", "RFC 9110 9.3.2",
          b"HEAD" + LIVE[3:] + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN),
    taken("length named as hop-by-hop", "RFC 9110 7.6.1", length(b" 2\r\nConnection: content-length")),
    refused("name with a space before it", "CVE-2024-27982 Node", INDEX + b" Content-Length: 2\r\n\r\n{}"),
    refused("name with a space before it, first", "CVE-2024-27982 Node",
            b"POST /v2/repository/index HTTP/1.1\r\n Content-Length: 35\r\nHost: x\r\n\r\n" + HIDDEN),
    refused("name with a space within", "CVE-2015-5739 Go", INDEX + b"Content Length: 35\r\n\r\n" + HIDDEN),
    refused("very long name", "CVE-2021-40346 HAProxy",
            INDEX + b"Content-Length" + b"0" * 17_000 + b":\r\nContent-Length: 35\r\n\r\n" + HIDDEN, 431),
    (
        "fewer bytes than the length", "RFC 9112 8", length(b" 100"), [], True),
]

CODINGS = [
    refused("space before the colon", "RFC 9112 5.1, CVE-2021-22959 Node",
            INDEX + b"Transfer-Encoding : chunked\r\n\r\n" + END + HIDDEN),
    refused("tab before the colon", "RFC 9112 5.1, CVE-2019-16276 Go",
            INDEX + b"Transfer-Encoding\t: chunked\r\n\r\n" + END + HIDDEN),
    refused("space before the colon, beside a length", "CVE-2019-16276 Go",
            INDEX + b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n" + END),
    refused("vertical tab", "CVE-2019-18277 HAProxy", coding(b" \x0bchunked")),
    refused("vertical tab behind", "CVE-2019-16789 waitress", coding(b" chunked\x0b")),
    refused("NUL", "RFC 9110 5.5", coding(b" \x00chunked")),
    refused("NUL behind", "RFC 9110 5.5", coding(b" chunked\x00")),
    refused("no-break space", "RFC 9110 5.5", coding(b" \xa0chunked")),
    refused("quoted", "RFC 9112 7", coding(b' "chunked"')),
    refused("quoted by ticks", "RFC 9112 7", coding(b" 'chunked'")),
    refused("with a parameter", "RFC 9112 7", coding(b" chunked;q=1")),
    refused("prefix", "CVE-2022-1705 Go", coding(b" xchunked")),
    refused("suffix", "RFC 9112 7", coding(b" chunkedx")),
    refused("half", "RFC 9112 7", coding(b" chunke")),
    refused("other letters that look alike", "RFC 9112 7", coding(" chun\u212aed".encode())),
    refused("empty", "RFC 9112 6.1", coding(b"")),
    refused("identity", "RFC 9112 6.1", coding(b" identity")),
    refused("chunked, identity", "CVE-2019-15605 Node, CVE-2024-1135 gunicorn", coding(b" chunked, identity")),
    refused("chunked twice in one", "RFC 9112 7.1", coding(b" chunked, chunked")),
    refused("chunked twice", "CVE-2020-8287 Node", coding(b" chunked\r\nTransfer-Encoding: chunked")),
    refused("chunked, then nonsense", "CVE-2020-8287 Node", coding(b" chunked\r\nTransfer-Encoding: chunked-false")),
    refused("nonsense, then chunked", "CVE-2022-32213 Node", coding(b" x\r\nTransfer-Encoding: chunked")),
    refused("gzip, chunked", "RFC 9112 6.1", coding(b" gzip, chunked"), 501),
    refused("cow, chunked", "CVE-2019-15605 Node", coding(b" cow, chunked"), 501),
    refused("an empty element", "RFC 9110 5.6.1", coding(b" , chunked"), 501),
    refused("folded", "RFC 9112 5.2, CVE-2022-32215 Node", coding(b"\r\n chunked")),
    refused("folded by a tab", "RFC 9112 5.2, CVE-2022-32215 Node", coding(b"\r\n\tchunked")),
    refused("folded behind", "RFC 9112 5.2, CVE-2022-32213 Node", coding(b" chunked\r\n , identity")),
    refused("behind a lone CR", "CVE-2023-30589 Node", INDEX + b"X: y\rTransfer-Encoding: chunked\r\n\r\n" + END),
    refused("behind a lone LF", "CVE-2022-32214 Node", INDEX + b"X: y\nTransfer-Encoding: chunked\r\n\r\n" + END),
    refused("its line ends with LF", "CVE-2022-35256 Node", INDEX + b"Transfer-Encoding: chunked\n\r\n" + END),
    refused("without a colon", "CVE-2019-20444 Netty", INDEX + b"Transfer-Encoding\r\nX: chunked\r\n\r\n" + END),
    refused("behind an empty name", "CVE-2023-25725 HAProxy", INDEX + b":\r\nTransfer-Encoding: chunked\r\n\r\n" + END),
    taken("in capitals", "RFC 9112 7", coding(b" CHUNKED")),
    taken("space around", "RFC 9110 5.5", coding(b"\t chunked  ")),
    taken("named as hop-by-hop", "RFC 9110 7.6.1", coding(b" chunked\r\nConnection: Transfer-Encoding")),
    (
        "another header: what follows is no body", "RFC 9112 6.3",
        INDEX + b"Transfer_Encoding: chunked\r\n\r\n" + END, [200, 400], True),
]

CHUNKS = [
    refused("sign", "RFC 9112 7.1, CVE-2022-24761 waitress", CHUNKED + b"+2\r\n{}\r\n" + END),
    refused("minus", "RFC 9112 7.1", CHUNKED + b"-2\r\n{}\r\n" + END),
    refused("0x", "RFC 9112 7.1, CVE-2022-24761 waitress", CHUNKED + b"0x2\r\n{}\r\n" + END),
    refused("space before", "RFC 9112 7.1", CHUNKED + b" 2\r\n{}\r\n" + END),
    refused("space behind", "RFC 9112 7.1", CHUNKED + b"2 \r\n{}\r\n" + END),
    refused("two numbers", "RFC 9112 7.1", CHUNKED + b"2 5\r\n{}\r\n" + END),
    refused("no size", "RFC 9112 7.1", CHUNKED + b"\r\n{}\r\n" + END),
    refused("no digit", "RFC 9112 7.1", CHUNKED + b"g\r\n{}\r\n" + END),
    refused("2^64", "CVE-2017-7657 Jetty", CHUNKED + b"10000000000000000\r\n{}\r\n" + END),
    refused("2^64 + 2, which wraps to 2", "CVE-2021-32714 hyper", CHUNKED + b"10000000000000002\r\n{}\r\n" + END),
    refused("2^64 - 1, which a signed word takes for -1", "CVE-2013-2028 nginx",
            CHUNKED + b"ffffffffffffffff\r\n{}\r\n" + END, 413),
    refused("2^32 + 2", "CVE-2014-0075 Tomcat", CHUNKED + b"100000002\r\n{}\r\n" + END, 413),
    refused("size ends with LF", "RFC 9112 2.2, CVE-2025-22871 Go", CHUNKED + b"2\n{}\r\n" + END),
    refused("size ends with CR", "RFC 9112 2.2", CHUNKED + b"2\r{}\r\n" + END),
    refused("data ends with LF", "RFC 9112 7.1", CHUNKED + b"2\r\n{}\n" + END),
    refused("data ends with nothing", "RFC 9112 7.1, CVE-2025-43859 h11", CHUNKED + b"2\r\n{}" + END),
    refused("data ends with something else", "CVE-2025-43859 h11", CHUNKED + b"2\r\n{}XX" + END),
    refused("data is longer than it says", "RFC 9112 7.1", CHUNKED + b"1\r\n{}\r\n" + END),
    refused("LF in an extension", "CVE-2025-55315 Kestrel", CHUNKED + b"2;a\n{}\r\n" + END),
    refused("CR in an extension", "CVE-2025-55315 Kestrel", CHUNKED + b"2;a\rb\r\n{}\r\n" + END),
    refused("NUL in an extension", "RFC 9112 7.1.1", CHUNKED + b"2;a=\x00\r\n{}\r\n" + END),
    refused("endless extension", "CVE-2024-22019 Node", CHUNKED + b"2;" + b"a" * 9000 + b"\r\n{}\r\n" + END),
    refused("endless zeros", "RFC 9112 7.1", CHUNKED + b"0" * 9000 + b"2\r\n{}\r\n" + END),
    refused("many small chunks with long extensions", "CVE-2023-39326 Go",
            CHUNKED + (b"1;" + b"a" * 200 + b"\r\n \r\n") * 40 + END),
    refused("endless trailers", "RFC 9112 7.1.2", CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"a" * 9000 + b"\r\n\r\n"),
    refused("a request in the place of the last CRLF", "RFC 9112 7.1",
            CHUNKED + b"2\r\n{}\r\n0\r\n" + HIDDEN),
    refused("a trailer without a colon", "RFC 9112 7.1.2", CHUNKED + b"2\r\n{}\r\n0\r\nX\r\n\r\n"),
    refused("a trailer that ends with LF", "RFC 9112 2.2, CVE-2023-45648 Tomcat",
            CHUNKED + b"2\r\n{}\r\n0\r\nX: y\n\r\n"),
    refused("a coding in a trailer", "RFC 9110 6.5.1",
            CHUNKED + b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + END),
    taken("a length in a trailer changes nothing: what follows is a request", "RFC 9110 6.5.1",
          CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 200, 404),
    taken("a Host in a trailer changes nothing", "RFC 9110 6.5.1", CHUNKED + b"2\r\n{}\r\n0\r\nHost: y\r\n\r\n"),
    taken("a folded trailer, which nobody reads", "RFC 9112 5.2", CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n z\r\n\r\n"),
    taken("a trailer", "RFC 9112 7.1.2", CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"),
    taken("extensions", "RFC 9112 7.1.1", CHUNKED + b'1;a;b\r\n{\r\n1;a="b c"\r\n}\r\n0;e=f\r\n\r\n'),
    taken("many chunks", "RFC 9112 7.1", CHUNKED + b"1\r\n{\r\n1\r\n}\r\n" + END),
    taken("leading zeros", "RFC 9112 7.1", CHUNKED + b"002\r\n{}\r\n00\r\n\r\n"),
    taken("no chunk", "RFC 9112 7.1", CHUNKED + END),
    taken("a request within a chunk", "RFC 9112 7.1", CHUNKED + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + END, 400),
    ("an end that does not come", "RFC 9112 8", CHUNKED + b"2\r\n{}\r\n", [], True),
]

LINES = [
    refused("request line ends with LF", "RFC 9112 2.2", b"GET /v2/health/live HTTP/1.1\nHost: x\r\n\r\n"),
    refused("request line ends with CR", "RFC 9112 2.2", b"GET /v2/health/live HTTP/1.1\rHost: x\r\n\r\n"),
    refused("request line ends with CR CR LF", "RFC 9112 2.2", b"GET /v2/health/live HTTP/1.1\r\r\nHost: x\r\n\r\n"),
    refused("header ends with LF", "RFC 9112 2.2", b"GET /v2/health/live HTTP/1.1\r\nHost: x\n\r\n"),
    refused("head ends with LF", "RFC 9112 2.2", LIVE + b"\n"),
    refused("head ends with CR", "RFC 9112 2.2", LIVE + b"\rX"),
    refused("empty line before, by LF", "RFC 9112 2.2", b"\n" + GOOD),
    refused("lone CR in a value", "RFC 9112 2.2", header(b"X: a\rb")),
    refused("a request behind a lone CR", "RFC 9112 2.2", header(b"X: a\r\rGET /hidden HTTP/1.1")),
    refused("folded value", "RFC 9112 5.2", header(b"X: a\r\n b")),
    refused("folded by a tab", "RFC 9112 5.2", header(b"X: a\r\n\tb")),
    refused("folded to nothing", "RFC 9112 5.2", header(b"X:\r\n ")),
    refused("space before the first header", "RFC 9112 2.2", b"GET /v2/health/live HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n"),
    refused("space before a colon", "RFC 9112 5.1", header(b"X : a")),
    refused("no colon", "RFC 9112 5, CVE-2019-20444 Netty", header(b"X")),
    refused("no name", "RFC 9112 5, CVE-2023-25725 HAProxy", header(b": a")),
    refused("parenthesis in a name", "RFC 9110 5.6.2", header(b"X(a): b")),
    refused("NUL in a name", "RFC 9110 5.6.2, CVE-2021-43797 Netty", header(b"X\x00: a")),
    refused("control character in a name", "RFC 9110 5.6.2, CVE-2021-43797 Netty", header(b"X\x01: a")),
    refused("other letters in a name", "RFC 9110 5.6.2", header("X\u00e4: a".encode())),
    refused("NUL in a value", "RFC 9110 5.5", header(b"X: a\x00b")),
    refused("control character in a value", "RFC 9110 5.5", header(b"X: a\x01b")),
    refused("DEL in a value", "RFC 9110 5.5", header(b"X: a\x7fb")),
    taken("other letters in a value", "RFC 9110 5.5", header("X: ä\u00e4\U0001f426".encode())),
    taken("an empty value", "RFC 9110 5.5", header(b"X:\r\nY: \t")),
    taken("empty lines before", "RFC 9112 2.2", b"\r\n\r\n" + GOOD),
    taken("three thousand headers", "RFC 9110 5.4", header(b"A:\r\n" * 3000 + b"B:")),
    refused("a head that is too large", "RFC 6585 5", header(b"X: " + b"a" * 20_000), 431),
    refused("too many headers", "RFC 6585 5, CVE-2018-12121 Node", header(b"A:\r\n" * 6000), 431),
    refused("endless empty lines", "RFC 9112 2.2", b"\r\n" * 9000, 431),
    ("a head without an end", "RFC 9112 8", LIVE + b"X: y\r\n", [], True),
]

REQUEST_LINES = [
    refused("HTTP/0.9", "RFC 9112 2.3, CVE-2017-7656 Jetty", b"GET /v2/health/live\r\n"),
    refused("HTTP/0.9 by name", "CVE-2017-7656 Jetty", line(b"GET /v2/health/live HTTP/0.9")),
    refused("no version, but headers", "RFC 9112 3", line(b"GET /v2/health/live")),
    refused("HTTP/1.2", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/1.2")),
    refused("HTTP/1.10", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/1.10")),
    refused("HTTP/01.1", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/01.1")),
    refused("HTTP/1,1", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/1,1")),
    refused("HTTP/1", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/1")),
    refused("HTTP/11", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/11")),
    refused("HTTP/ 1.1", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/ 1.1")),
    refused("HTTP/2.0", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/2.0"), 505),
    refused("HTTP/3.0", "RFC 9112 2.3", line(b"GET /v2/health/live HTTP/3.0")),
    refused("http in small letters", "RFC 9112 2.3", line(b"GET /v2/health/live http/1.1")),
    refused("another protocol", "RFC 9112 2.3", line(b"GET /v2/health/live ICE/1.0")),
    refused("RTSP", "RFC 9112 2.3", line(b"DESCRIBE /v2/health/live RTSP/1.0")),
    refused("preface of HTTP/2", "RFC 9113 3.4", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("TLS", "RFC 8446 5.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32),
    refused("PROXY protocol", "RFC 9112 3", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GOOD),
    refused("tabs", "RFC 9112 3", line(b"GET\t/v2/health/live\tHTTP/1.1")),
    refused("two spaces", "RFC 9112 3", line(b"GET  /v2/health/live HTTP/1.1")),
    refused("two spaces behind", "RFC 9112 3", line(b"GET /v2/health/live  HTTP/1.1")),
    refused("space at the end", "RFC 9112 3", line(b"GET /v2/health/live HTTP/1.1 ")),
    refused("space at the start", "RFC 9112 3", line(b" GET /v2/health/live HTTP/1.1")),
    refused("space in the target", "RFC 9112 3.2, CVE-2016-6816 Tomcat", line(b"GET /v2/health/live /x HTTP/1.1")),
    refused("two versions", "RFC 9112 3", line(b"GET /v2/health/live HTTP/1.1 HTTP/1.1")),
    refused("vertical tab", "RFC 9112 3", line(b"GET\x0b/v2/health/live HTTP/1.1")),
    refused("NUL at the end", "RFC 9112 3", line(b"GET /v2/health/live HTTP/1.1\x00")),
    refused("small letters", "RFC 9110 9.1", line(b"get /v2/health/live HTTP/1.1")),
    refused("no method", "RFC 9112 3", line(b"/v2/health/live HTTP/1.1")),
    refused("a method that nobody knows", "RFC 9110 9.1", line(b"GETS /v2/health/live HTTP/1.1")),
    refused("a very long method", "RFC 9112 3", line(b"A" * 20_000 + b" / HTTP/1.1")),
    refused("CONNECT", "RFC 9110 9.3.6", b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" + HIDDEN, 501),
    taken("TRACE", "RFC 9110 9.3.8", line(b"TRACE /v2/health/live HTTP/1.1"), 405),
    taken("OPTIONS", "RFC 9110 9.3.7", line(b"OPTIONS /v2/health/live HTTP/1.1"), 405),
    taken("PATCH", "RFC 5789 2", b"PATCH" + length(b" 2")[4:], 405),
    taken("OPTIONS *", "RFC 9112 3.2.4", line(b"OPTIONS * HTTP/1.1"), 404),
    refused("GET *", "RFC 9112 3.2.4", line(b"GET * HTTP/1.1")),
    refused("an authority for a target", "RFC 9112 3.2.3", line(b"GET x:80 HTTP/1.1")),
    refused("no slash", "RFC 9112 3.2.1", line(b"GET v2/health/live HTTP/1.1")),
    refused("fragment", "RFC 9112 3.2, CVE-2023-45539 HAProxy", line(b"GET /v2/health/live#/hidden HTTP/1.1")),
    refused("control character in the target", "RFC 9112 3.2", line(b"GET /v2/health/live\x01 HTTP/1.1")),
    refused("NUL in the target", "RFC 9112 3.2", line(b"GET /v2/health/live\x00 HTTP/1.1")),
    refused("other letters in the target", "RFC 9112 3.2", line("GET /v2/häalth HTTP/1.1".encode())),
    refused("an escaped NUL", "RFC 3986 7.3", line(b"GET /v2/health/live%00 HTTP/1.1")),
    refused("half an escape", "RFC 3986 2.1", line(b"GET /v2/health/live%2 HTTP/1.1")),
    refused("an escape that is none", "RFC 3986 2.1", line(b"GET /v2/health/live%zz HTTP/1.1")),
    taken("escapes are read once", "RFC 3986 2.4", line(b"GET /v2/health/%256cive HTTP/1.1"), 404),
    taken("an escaped slash is none", "RFC 3986 2.2", line(b"GET /v2%2fhealth%2Flive HTTP/1.1"), 404),
    taken("an escaped letter", "RFC 3986 2.3", line(b"GET /v2/health/%6cive HTTP/1.1")),
    taken("dots lead nowhere", "RFC 3986 3.3", line(b"GET /v2/x/../health/live HTTP/1.1"), 404),
    taken("escaped dots lead nowhere", "RFC 3986 3.3", line(b"GET /v2/x/%2e%2e/health/live HTTP/1.1"), 404),
    taken("a backslash is no slash", "RFC 3986 2", line(b"GET /v2\\health\\live HTTP/1.1"), 404),
    taken("two slashes", "RFC 3986 3.3", line(b"GET //v2/health/live HTTP/1.1"), 404),
    refused("a target that is too long", "RFC 9112 3", line(b"GET /" + b"a" * 20_000 + b" HTTP/1.1"), 414),
    refused("a query that is too long", "RFC 9112 3", line(b"GET /v2/health/live?" + b"a" * 20_000 + b" HTTP/1.1"), 414),
]

HOSTS = [
    refused("no Host", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.1\r\n\r\n"),
    refused("two Hosts", "RFC 9112 3.2", header(b"Host: y")),
    refused("the same Host twice", "RFC 9112 3.2", header(b"Host: x")),
    refused("two Hosts in HTTP/1.0", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"),
] + [
    refused(f"Host is {value.decode()!r}", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.1\r\nHost: " + value + b"\r\n\r\n")
    for value in (b"x y", b"x, y", b"u@x", b"x/y", b"x?y", b"x#y", b"x\\y", b"http://x", b"x:y", b"x:1:2", b"[::1", b"[]", b"x[y]",
                  b"<x>", b'"x"', b"x:-1")
] + [
    taken("a Host with a port", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.1\r\nHost: x:80\r\n\r\n"),
    taken("an address", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    taken("an empty Host", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.1\r\nHost:\r\n\r\n"),
    ("no Host in HTTP/1.0", "RFC 9112 3.2", b"GET /v2/health/live HTTP/1.0\r\n\r\n", [200], True),
    taken("an absolute target", "RFC 9112 3.2.2", line(b"GET http://x/v2/health/live HTTP/1.1")),
    taken("an absolute target with another host", "RFC 9112 3.2.2", line(b"GET http://y:1/v2/health/live HTTP/1.1")),
    taken("an absolute target in other letters", "RFC 9110 4.2.3", line(b"GET HTTP://x/v2/health/live HTTP/1.1")),
    refused("an absolute target without Host", "RFC 9112 3.2", b"GET http://x/v2/health/live HTTP/1.1\r\n\r\n"),
    refused("a user in the target", "RFC 9110 4.2.4", line(b"GET http://u:p@x/v2/health/live HTTP/1.1")),
    refused("no host in the target", "RFC 9110 4.2.1", line(b"GET http:///v2/health/live HTTP/1.1")),
    refused("two ports in the target", "RFC 9112 3.2.2", line(b"GET http://x:1:2/v2/health/live HTTP/1.1")),
    refused("another scheme", "RFC 9112 3.2.2", line(b"GET ftp://x/v2/health/live HTTP/1.1")),
    refused("a file", "RFC 9112 3.2.2", line(b"GET file:///etc/passwd HTTP/1.1")),
]

CONNECTIONS = [
    taken("one behind another", "RFC 9112 9.3.2", GOOD + GOOD, 200, 200),
    taken("many", "RFC 9112 9.3.2", GOOD * 50, *[200] * 50),
    taken("behind one that fits no endpoint", "RFC 9112 9.3.2", HIDDEN + GOOD, 404, 200),
    ("a bad one behind a good one", "RFC 9112 9.3.2", GOOD + b"GET / HTTP/1.1\n\r\n" + GOOD, [200, 400], True),
    refused("a good one behind a bad one", "CVE-2022-22720 httpd", b"GET / HTTP/1.1\n\r\n" + GOOD),
    refused("a good one behind a body that is too large", "CVE-2022-22720 httpd", length(b" 99999999999") + GOOD, 413),
    refused("a good one behind an expectation that is not met", "CVE-2022-22720 httpd",
            INDEX + b"Expect: x\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD, 417),
    refused("a length behind an expectation that is not met", "RFC 9110 10.1.1",
            INDEX + b"Expect: 100-continue, x\r\nContent-Length: 2\r\n\r\n{}", 417),
    taken("an expectation", "RFC 9110 10.1.1", INDEX + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"),
    taken("an expectation in other letters", "RFC 9110 10.1.1", INDEX + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}"),
    taken("an expectation without a body", "RFC 9110 10.1.1", LIVE + b"Expect: 100-continue\r\n\r\n"),
    ("the last one", "RFC 9112 9.6", LIVE + b"Connection: close\r\n\r\n" + HIDDEN, [200], True),
    ("the last one, among other words", "RFC 9112 9.6", LIVE + b"Connection: a, close ,b\r\n\r\n" + HIDDEN, [200], True),
    ("HTTP/1.0", "RFC 9112 9.3", b"GET /v2/health/live HTTP/1.0\r\nHost: x\r\n\r\n" + HIDDEN, [200], True),
    taken("HTTP/1.0, kept", "RFC 9112 9.3",
          b"GET /v2/health/live HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"),
    taken("an upgrade is not taken", "RFC 9110 7.8", LIVE + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    taken("an upgrade with a body", "RFC 9110 7.8, CVE-2019-17567 httpd",
          length(b" 2\r\nConnection: upgrade\r\nUpgrade: h2c")),
    (
        "HTTP/2 behind an upgrade", "RFC 9113 3.2",
        LIVE + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
        + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [200, 505], True),
    (
        "junk behind a request", "RFC 9112 9.3.2", GOOD + b"\x00\x01\x02\x03", [200, 400], True),
]

CASES = [
    (f"{group}: {name}", source, request, statuses, closes)
    for group, cases in [
        ("two framings", TWO_FRAMINGS), ("length", LENGTHS), ("coding", CODINGS), ("chunk", CHUNKS), ("line", LINES),
        ("request line", REQUEST_LINES), ("host", HOSTS), ("connection", CONNECTIONS)
    ] for name, source, request, statuses, closes in cases
]
