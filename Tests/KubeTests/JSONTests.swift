import Kube
import Testing

@Suite struct JSONTests {
    @Test(
        arguments: [
            ("null", JSON.null), ("true", true), (" [1, -2,3.5 ] ", [1, -2, 3.5]), ("1e3", .double(1000)),
            ("9223372036854775807", .int(.max)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("-0.0", .double(0)), (#"{"a":{"b":[]},"c":""}"#, ["a": ["b": []], "c": ""]),
            (#""\u00e9\ud83d\ude00\n\/\\\"""#, "é😀\n/\\\""), (#""\ud83d x""#, "\u{FFFD} x"),
            (#"{"a":1,"a":2}"#, ["a": 2]),
        ] as [(String, JSON)])
    func reads(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":}", "{a:1}", "01", "1.", ".5", "+1", "1e999", "tru", "\"a", "\"\u{1}\"", "\"\\x\"",
        "[1] 2",
        "nan", String(repeating: "[", count: 100_000),
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func writesAsItReads() throws {
        let value: JSON = [
            "b": [1, 2.5, true, .null], "a": "line\n\"quoted\" \\ é😀\u{1}", "empty": [:], "none": [], "d": 1e-7,
        ]
        #expect(try JSON(parsing: value.text()) == value)
        #expect(try JSON(parsing: value.text(pretty: true)) == value)
    }

    @Test func equalValuesAreEqualTexts() {
        let value: JSON = ["b": 1, "a": ["y": [1], "x": "\u{1}"]]
        #expect(value.text() == #"{"a":{"x":"\u0001","y":[1]},"b":1}"#)
        #expect(value.text(pretty: true).split(separator: "\n").count == 9)
        #expect(JSON.double(.infinity).text() == "null")
    }

    @Test func aLongDocumentIsReadAtOnce() throws {
        let many = JSON.array((0..<20_000).map { ["name": .string("pod-\($0)"), "n": .int($0)] })
        #expect(try JSON(parsing: many.bytes) == many)
    }
}

@Suite struct YAMLTests {
    @Test(
        arguments: [
            ("a: 1", ["a": 1]), ("a: \"1\"", ["a": "1"]), ("a: '1'", ["a": "1"]), ("a: !!str 1", ["a": "1"]),
            ("a: 0644", ["a": 420]), ("a: 0o644", ["a": 420]), ("a: 0x1F", ["a": 31]), ("a: -5", ["a": -5]),
            ("a: 1.5", ["a": 1.5]), ("a: 1e3", ["a": .double(1000)]), ("a: 1.2.3", ["a": "1.2.3"]),
            ("a: v1", ["a": "v1"]),
            ("a: 2024-01-02", ["a": "2024-01-02"]), ("a: 10:30", ["a": "10:30"]), ("a: infinity", ["a": "infinity"]),
            ("a: yes\nb: Off", ["a": true, "b": false]), ("a: ~\nb:\nc: null", ["a": .null, "b": .null, "c": .null]),
            ("a: |\n  x\n  1\n", ["a": "x\n1\n"]), ("a: 100m", ["a": "100m"]), ("a: 2Gi", ["a": "2Gi"]),
            ("a: .", ["a": "."]),
        ] as [(String, JSON)])
    func readsAsKubernetesDoes(yaml: String, value: JSON) throws {
        #expect(try JSON(yaml: yaml) == value)
    }

    @Test func followsAnchorsAndMerges() throws {
        let yaml = "base: &b {x: 1, y: 2}\nnew:\n  <<: *b\n  y: 3\nsame: *b\n"
        let value = try JSON(yaml: yaml)
        #expect(value["new"] == ["x": 1, "y": 3] && value["same"] == ["x": 1, "y": 2])
    }

    @Test func readsManyDocumentsAndLeavesEmptyOnesOut() throws {
        let documents = try JSON.documents(yaml: "---\n# nothing\n---\na: 1\n---\n- 2\n...\n")
        #expect(documents == [["a": 1], [2]])
    }

    @Test(arguments: ["a: [1", "a: b: c", "? [x]\n: 1", "a: *none", "\tx: 1", "a: 1\n---\nb: 2"])
    func refusesWhatIsNoDocument(yaml: String) {
        let error = #expect(throws: JSONError.self) { try JSON(yaml: yaml) }
        #expect(error.map { !"\($0)".contains("\n") } == true)
    }
}
