extension Settings {
    /// The known key that a misspelt one is nearest to, if any is near.
    static func nearestKey(to name: String) -> String? {
        let name = name.uppercased()
        let most = 1 + name.utf8.count / 5
        let ranked = allKeys.map { (distance(name, $0.name, atMost: most), $0.name) }
        return ranked.min { ($0.0, $0.1) < ($1.0, $1.1) }.flatMap { $0.0 <= most ? $0.1 : nil }
    }

    /// How many letters to add, drop, change or swap with the next, to get from one to the other.
    static func distance(_ one: String, _ other: String, atMost most: Int) -> Int {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        if abs(one.count - other.count) > most { return most + 1 }
        var (before, last) = ([Int](), Array(0...other.count))
        for i in one.indices {
            var row = [i + 1]
            for j in other.indices {
                var least = min(row[j] + 1, last[j + 1] + 1, last[j] + (one[i] == other[j] ? 0 : 1))
                if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] {
                    least = min(least, before[j - 1] + 1)
                }
                row.append(least)
            }
            // No later row has less than the least of this one and the one before, but for a swap.
            if (row.min() ?? 0) > most, (last.min() ?? 0) > most { return most + 1 }
            (before, last) = (last, row)
        }
        return last[other.count]
    }
}
