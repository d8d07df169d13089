extension Site {
    /// What the config makes the cluster run, and what the cluster runs by itself, in the order in which it is asked for.
    package func wanted() async throws -> Wanted {
        let wants = Wants(settings: settings, bundle: bundle, root: root, host: head)
        var wanted = try await provider.images(on: self).asConfigured(by: settings)
        wanted.add(try wants.ofConfig())
        wanted.add(try wants.ofTemplates())
        // That there is no chart is said elsewhere, and well.
        if try bundle.chart("jupyterhub", version: settings.jhubChartVersion) != nil {
            wanted.add(try await chartImages.of(wants))
        }
        return wanted
    }
}

/// The chart is rendered once a run: many checks and stages ask what it wants, and its file does not change meanwhile.
actor ChartImages {
    private var rendering: Task<Wanted, any Error>?

    func of(_ wants: Wants) async throws -> Wanted {
        let task = rendering ?? Task { try await wants.ofChart() }
        rendering = task
        let result = await task.result
        // What could not be looked into may be there the next time.
        if (try? result.get())?.doubts.isEmpty != true { rendering = nil }
        return try result.get()
    }
}
