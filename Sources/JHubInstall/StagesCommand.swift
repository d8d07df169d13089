import ArgumentParser
import Install
import Kube

struct StagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "Lists the stages in order, with the names for --only and --from.")

    @Flag(help: "One JSON object a line, for programs.")
    var json = false

    func run() {
        for stage in Sequences.install {
            let object: JSON = ["stage": .string(stage.name), "title": .string(stage.title)]
            Console.standardOutput.line(json ? object.text() : "\(stage.name.padded(to: 9)) \(stage.title)")
        }
    }
}
