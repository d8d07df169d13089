/// How far some bytes have come, how fast, and for how long they still will.
struct ByteBar {
    var done: Int64
    var total: Int64
    var elapsed: Duration

    var tenth: Int64 { total > 0 ? done * 10 / total : 10 }

    func text(width: Int) -> String {
        let cells = max(10, min(40, width - 50))
        let full = Int(Double(cells) * (total > 0 ? min(1, Double(done) / Double(total)) : 1))
        return "[\(String(repeating: "#", count: full))\(String(repeating: ".", count: cells - full))] \(words)"
    }

    var words: String {
        var text = "\(done.asBytes) of \(total.asBytes)"
        // Before a second has passed a forecast would be a guess.
        if elapsed > .seconds(1), done > 0 {
            let rate = Double(done) / (elapsed / .seconds(1))
            text += ", \(Int64(rate).asBytes)/s, \(Int((Double(total - done) / rate).rounded(.up))) s left"
        }
        return text
    }
}
