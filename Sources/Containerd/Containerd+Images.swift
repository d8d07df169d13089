extension Containerd {
    /// A name, and what it means.
    package struct Image: Hashable, Sendable {
        package var name: String
        package var target: Descriptor
        package var labels: [String: String]

        package init(name: String, target: Descriptor, labels: [String: String] = [:]) {
            (self.name, self.target, self.labels) = (name, target, labels)
        }

        init(_ message: WireMessage) throws(WireError) {
            self.init(
                name: message.text(1), target: Descriptor(try message.message(3)), labels: try message.map(2))
        }

        var message: WireMessage {
            var message = WireMessage()
            message.set(1, name)
            message.set(2, labels)
            message.add(3, target.message)
            return message
        }
    }

    package func images() async throws(ContainerdError) -> [Image] {
        let answer = try await ask("images.v1.Images/List", WireMessage())
        return try reading("Images/List") { () throws(WireError) in
            var images: [Image] = []
            for message in try answer.messages(1) { images.append(try Image(message)) }
            return images
        }
    }

    /// Takes the name away; nothing where there is none. `clearing` waits until what nothing refers to any more has
    /// gone, too; else containerd clears it away when it has time.
    package func remove(_ name: String, clearing: Bool) async throws(ContainerdError) {
        var request = WireMessage.text(1, name)
        request.set(2, clearing ? 1 : 0)
        do {
            _ = try await ask("images.v1.Images/Delete", request, within: .seconds(600))
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// The names of the images that containers were made of, whether they run or not.
    package func usedImages() async throws(ContainerdError) -> Set<String> {
        let answer = try await ask("containers.v1.Containers/List", WireMessage())
        return try reading("Containers/List") { () throws(WireError) in
            Set(try answer.messages(1).map { $0.text(3) }.filter { !$0.isEmpty })
        }
    }

    /// Gives the name its target and these labels, whether it is there or not; other labels stay.
    package func put(_ image: Image) async throws(ContainerdError) {
        var request = WireMessage()
        request.add(1, image.message)
        do {
            _ = try await ask("images.v1.Images/Create", request)
        } catch {
            guard error.code == .alreadyExists else { throw error }
            request.add(2, .mask(["target"] + image.labels.keys.sorted().map { "labels." + $0 }))
            _ = try await ask("images.v1.Images/Update", request)
        }
    }
}
