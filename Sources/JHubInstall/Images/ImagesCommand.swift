import ArgumentParser

struct ImagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "What the node has of the images, lacks of them, and has too much.",
        subcommands: [List.self, Verify.self, Import.self, Prune.self])
}
