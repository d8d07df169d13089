import SystemPackage

/// The driver, asked on a thread of its own. Its calls may hang; nobody but `GPUWatch.run` waits for it.
actor Driver {
    private let executor = ThreadExecutor(label: "nvml")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let paths: [String]
    private let watch: CallWatch
    private let tell: @Sendable (DriverNews) -> Void
    /// In seconds: how long the description of a GPU holds.
    private let redescribe: Double
    /// In seconds: how long to wait before a driver that was not there is looked for again.
    private let retry: Double

    private var session: NVML?
    private var events: NVMLEvents?
    private var status: DriverStatus
    private var lastTry: Moment?
    private var known: [PCIAddress: (gpu: GPU, at: Moment)] = [:]

    init(
        _ paths: [String], watch: CallWatch, retry: Double, redescribe: Double,
        tell: @escaping @Sendable (DriverNews) -> Void
    ) {
        (self.paths, self.watch, self.tell) = (paths, watch, tell)
        (self.retry, self.redescribe) = (retry, redescribe)
        status = DriverStatus(.starting, since: .now)
    }

    /// Asks for everything once.
    func round() {
        guard let session = session ?? open() else { return }
        let began = Moment.now
        do throws(NVMLError) {
            let shown = try ask(session)
            let before = status
            (status.missing, status.installed) = (session.missing.sorted(), Self.installed(session.file))
            if status != before { tell(.status(status)) }
            tell(.round(shown: shown, ended: .now, duration: Moment.now.seconds(since: began)))
        } catch {
            close(error)
        }
    }

    /// Gives the session up, for what a lost GPU is now only a new one shows.
    func renew() {
        (events, session, lastTry) = (nil, nil, nil)
        known = [:]
    }

    /// Hands over the XIDs that come until then. It comes back early where there is nothing to listen to.
    func listen(until end: Moment) {
        guard let events else { return }
        do throws(NVMLError) {
            // What has come is taken even if it is late; but a storm may not keep the GPUs from being asked.
            var taken = 0
            while taken < 1024 {
                let left = max(0, end.seconds(since: .now))
                // A second at a time, so that the wait does not look like a call that hangs.
                if let event = try events.next(within: UInt32(min(left, 1) * 1000)) {
                    tell(.xid(event))
                    taken += 1
                } else if left == 0 {
                    return
                }
            }
        } catch {
            if error.code.endsTheSession { close(error) }
        }
    }

    private func ask(_ session: NVML) throws(NVMLError) -> Set<PCIAddress> {
        var shown: Set<PCIAddress> = []
        var devices: [Device] = []
        for index in 0..<(try session.count()) {
            // A GPU that gives no handle has no bus here; PCI knows it.
            guard let device = try reachable(try session.device(at: index)) else { continue }
            devices.append(device)
            shown.insert(device.bus)
            do throws(NVMLError) {
                let gpu = try description(of: device)
                let sample = try device.sample(of: gpu)
                tell(.sample(device.bus, sample))
                if sample.mig.map({ $0.map(\.uuid) != gpu.migDevices.map(\.uuid) }) ?? false { known[device.bus] = nil }
            } catch {
                if error.code.endsTheSession { throw error }
                known[device.bus] = nil
                tell(.unreachable(device.bus, error))
            }
        }
        events = events ?? NVMLEvents(session, for: devices)
        return shown
    }

    private func reachable(_ device: @autoclosure () throws(NVMLError) -> Device) throws(NVMLError) -> Device? {
        do throws(NVMLError) {
            return try device()
        } catch {
            if error.code.endsTheSession { throw error }
            return nil
        }
    }

    private func description(of device: Device) throws(NVMLError) -> GPU {
        if let known = known[device.bus], known.gpu.index == device.index, known.at.seconds(since: .now) > -redescribe {
            return known.gpu
        }
        let gpu = try device.description()
        known[device.bus] = (gpu, .now)
        tell(.description(gpu))
        return gpu
    }
}

extension Driver {
    private func open() -> NVML? {
        let now = Moment.now
        if let lastTry, now.seconds(since: lastTry) < retry { return nil }
        lastTry = now
        do throws(NVMLOpening) {
            let opened = try NVML(paths, watch: watch)
            status = become(.ready, nil)
            (status.openings, status.opened) = (status.openings + 1, .now)
            (status.library, status.cuda) = (opened.file, opened.cuda)
            status.version = opened.text("nvmlSystemGetDriverVersion")
            status.libraryVersion = opened.text("nvmlSystemGetNVMLVersion")
            session = opened
        } catch {
            status = become(error)
        }
        tell(.status(status))
        return session
    }

    /// `libnvidia-ml.so.1` leads, perhaps by way of /etc/alternatives, to `libnvidia-ml.so.550.54.15`.
    private static func installed(_ file: String) -> String? {
        let start = "libnvidia-ml.so."
        guard let name = SmallFile.end(of: FilePath(file))?.lastComponent?.string, name.hasPrefix(start) else {
            return nil
        }
        let version = name.dropFirst(start.count)
        return version.contains(".") ? String(version) : nil
    }

    /// The driver went away under us. The library goes too: a new driver brings a new one.
    private func close(_ error: NVMLError) {
        (events, session) = (nil, nil)
        known = [:]
        status = become(.refused(error, file: status.library ?? ""))
        tell(.status(status))
    }

    private func become(_ opening: NVMLOpening) -> DriverStatus {
        switch opening {
        case .noLibrary(let reason): become(.noLibrary, reason)
        case .refused(let error, let file):
            switch error.code {
            case .driverNotLoaded, .uninitialized: become(.notLoaded, "\(error)")
            case .versionMismatch: become(.mismatch, "\(error)")
            default: become(.failed, "\(error) (\(file))")
            }
        }
    }

    private func become(_ state: DriverStatus.State, _ reason: String?) -> DriverStatus {
        var next = DriverStatus(state, since: state == status.state ? status.since : .now)
        (next.reason, next.openings) = (reason, status.openings)
        return next
    }
}
