/// Text in columns, each as wide as its widest cell.
struct Columns {
    enum Side { case left, right }

    var sides: [Side]
    var rows: [[Cell]] = []

    /// A text, and how it is to be coloured.
    struct Cell {
        var text: String
        var colour = Colour.plain
    }

    func lines(coloured: Bool) -> [String] {
        let widths = sides.indices.map { column in rows.map { $0[column].text.count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column in
                let cell = row[column]
                let blanks = String(repeating: " ", count: widths[column] - cell.text.count)
                let text = coloured ? cell.colour.around(cell.text) : cell.text
                return sides[column] == .left ? text + blanks : blanks + text
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

package enum Colour: Int, Sendable {
    case plain = 0
    case bold = 1
    case dim = 2
    case red = 31
    case green = 32
    case yellow = 33

    func around(_ text: String) -> String {
        self == .plain || text.isEmpty ? text : "\u{1b}[\(rawValue)m\(text)\u{1b}[0m"
    }
}
