import Kube
import Testing

@Suite struct DifferenceTests {
    @Test(
        arguments: [
            (["a": 1], ["a": 1], []), (["a": 1], ["a": 2], ["a"]), (["a": ["b": 1]], ["a": [:]], ["a.b"]),
            (["a": ["x/y.z": 1]], ["a": ["x/y.z": 2]], [#"a["x/y.z"]"#]), (["a": 1], ["a": 1.0], []),
            (["a": [1, 2]], ["a": [1, 3]], ["a[1]"]), (["a": [1, 2]], ["a": [1]], ["a"]),
            (["a": [["name": "x", "v": 1]]], ["a": [["name": "x", "v": 2]]], ["a[x].v"]),
            (
                ["a": [["name": "x", "v": 1]]], ["a": [["name": "y", "v": 1], ["name": "x", "v": 1]]],
                ["a[y]"]
            ),
            (["a": [["name": "x"], ["name": "y"]]], ["a": [["name": "y"], ["name": "x"]]], ["a"]),
            (["b": 1, "a": 1], ["b": 2, "a": "1"], ["a", "b"]),
        ] as [(JSON, JSON, [String])])
    func namesThePaths(one: JSON, other: JSON, paths: [String]) {
        #expect(one.paths(differingFrom: other) == paths)
        #expect(other.paths(differingFrom: one) == paths)
    }
}
