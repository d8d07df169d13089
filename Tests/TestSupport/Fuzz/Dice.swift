/// Random numbers that a seed decides, so that a find can be had again (SplitMix64).
package struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// One throw in so many.
    package mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }

    package mutating func one<Element>(of list: [Element]) -> Element { list[below(list.count)] }
}
