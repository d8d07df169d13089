import GPUs

// The forms that most metrics have. A value that was not measured is nil, and is left out: never 0.
extension Metric {
    /// One number of the node.
    static func node(
        _ name: String, _ help: String, as kind: Kind = .gauge, _ value: @escaping @Sendable (Report) -> Double?
    ) -> Metric {
        Metric(name: name, kind: kind, help: help) { report in
            value(report).map { [Value(labels: [], number: $0)] } ?? []
        }
    }

    /// One number of each GPU that the driver shows.
    static func gpu(
        _ name: String, _ help: String, as kind: Kind = .gauge, _ value: @escaping @Sendable (GPUReport) -> Double?
    ) -> Metric {
        gpus(name, help, as: kind) { gpu in
            guard gpu.isVisible, let number = value(gpu) else { return [] }
            return [([], number)]
        }
    }

    /// One number of the last sample of each GPU, as NVML gave it, times what makes it the unit of the metric.
    static func sample<Number: BinaryInteger & Sendable>(
        _ name: String, _ help: String, as kind: Kind = .gauge, times factor: Double = 1,
        _ value: @escaping @Sendable (Sample) -> Number?
    ) -> Metric {
        gpu(name, help, as: kind) { gpu in gpu.sample.flatMap(value).map { Double($0) * factor } }
    }

    /// Several numbers of each GPU, told apart by further labels.
    static func gpus(
        _ name: String, _ help: String, as kind: Kind = .gauge,
        _ values: @escaping @Sendable (GPUReport) -> [([(String, String)], Double)]
    ) -> Metric {
        Metric(name: name, kind: kind, help: help) { report in
            report.snapshot.gpus.flatMap { gpu in
                let own = labels(of: gpu)
                return values(gpu).map { labels, number in
                    Value(labels: own + labels.map { Label(name: $0, value: $1) }, number: number)
                }
            }
        }
    }

    /// As `sample`, for several numbers of a kind, told apart by one label; those that are nil are left out.
    static func samples(
        _ name: String, _ help: String, as kind: Kind = .gauge, times factor: Double = 1, by label: String,
        _ values: @escaping @Sendable (Sample) -> KeyValuePairs<String, UInt64?>
    ) -> Metric {
        gpus(name, help, as: kind) { gpu in
            guard gpu.isVisible, let sample = gpu.sample else { return [] }
            return values(sample).compactMap { key, value in value.map { ([(label, key)], Double($0) * factor) } }
        }
    }

    /// What tells a GPU from others: `jhub_gpu_info` has the rest.
    static func labels(of gpu: GPUReport) -> [Label] {
        [("gpu", gpu.gpu.index.map { String($0) }), ("uuid", gpu.gpu.uuid), ("bus", gpu.gpu.bus.description)]
            .compactMap { name, value in value.map { Label(name: name, value: $0) } }
    }
}
