import Testing

@testable import Install

@Suite struct BlockTests {
    private let block = Block(["one", "two"])
    private let text = "# BEGIN jhub-install\none\ntwo\n# END jhub-install\n"

    @Test(arguments: [("", ""), ("a\n", "a\n"), ("a", "a\n"), ("a\n\n", "a\n\n")])
    func itGoesToTheEnd(_ old: String, before: String) {
        #expect(block.put(into: old) == before + text)
    }

    @Test(arguments: [
        "# BEGIN jhub-install\nold\n# END jhub-install\n", "  # BEGIN jhub-install \n# END jhub-install\n",
        "# BEGIN jhub-install\none\nthree\nfour\n# END jhub-install\n",
    ])
    func itTakesThePlaceOfAnOlderOne(_ old: String) {
        #expect(block.put(into: "a\n" + old + "b\n") == "a\n" + text + "b\n")
        #expect(block.put(into: old + "b") == text + "b")
        #expect(block.put(into: "a\n" + old) == "a\n" + text)
    }

    @Test func anOlderOneWithoutALastNewlineIsFound() {
        #expect(block.put(into: "a\n# BEGIN jhub-install\n# END jhub-install") == "a\n" + text)
    }

    @Test func putTwiceItIsThereOnce() {
        for old in ["", "a", "127.0.0.1 localhost\n", "a\n\(text)b\n", "a\n# BEGIN jhub-install\nnever ended\n"] {
            let once = block.put(into: old)
            #expect(block.put(into: once) == once)
        }
    }

    @Test func marksOfOthersAreLeftAlone() {
        let others = "# BEGIN other\nx\n# END other\n# END jhub-install\n# A # BEGIN jhub-install\n"
        #expect(block.put(into: others) == others + text)
    }
}
