extension Chart {
    /// All that speaks against this GPU. What a driver that is gone cannot tell is not held against it twice.
    func symptoms(_ about: Circumstances) -> [Symptom] {
        let absent = absence(about)
        var all = [absent].compactMap(\.self) + faults(about)
        if let sample, isVisible {
            all += calls(sample) + memory(sample) + links(sample) + clocks() + [fabric(sample)].compactMap(\.self)
        }
        return all
    }

    /// Why nothing, or nothing new, is known of it.
    private func absence(_ about: Circumstances) -> Symptom? {
        if let hung = about.driver.hung, hung.bus == nil || hung.bus == gpu.bus {
            let time = Int(about.now.seconds(since: hung.since))
            return Symptom(.hungCall, .unknown, "\(hung.call) has not come back for \(time) s", .reboot)
        }
        if let symptom = about.driver.symptom { return symptom }
        if let silence { return Symptom(silence) }
        if isMissed {
            let holder = pci?.driver.map { "driver \($0)" } ?? "no driver holds it"
            let evidence = pci == nil ? "neither PCI nor NVML shows it now" : "PCI shows it (\(holder)), NVML does not"
            return Symptom(.lost, .unhealthy, evidence, .reboot)
        }
        guard isVisible, let sample else { return Symptom(.noSample, .unknown, "it has not been sampled yet", .none) }
        let age = about.now.seconds(since: sample.taken)
        guard age > about.sampleLife else { return nil }
        return Symptom(.noSample, .unknown, "its last sample is \(Int(age)) s old", .none)
    }

    /// Most calls that fail say nothing of the GPU; these do.
    private func calls(_ sample: Sample) -> [Symptom] {
        if sample.memory == nil, let failure = sample.failures.first {
            return [Symptom(.callFailed, .unknown, "\(failure)", .contactSupport)]
        }
        let fault = sample.failures.first { [.insufficientPower, .interruptIssue, .corruptInfoROM].contains($0.code) }
        return fault.map { failure in
            let isPower = failure.code == .insufficientPower
            return [Symptom(.callFailed, .degraded, "\(failure)", isPower ? .checkMechanicals : .contactSupport)]
        } ?? []
    }

    private func memory(_ sample: Sample) -> [Symptom] {
        var found: [Symptom] = []
        if let count = sample.ecc?.uncorrected, count > 0 {
            let evidence = "\(count) uncorrected memory errors since the driver was loaded"
            found.append(Symptom(.uncorrectedMemoryErrors, .unhealthy, evidence, .resetGPU))
        }
        if let rows = sample.remappedRows {
            let evidence = "\(rows.uncorrected) rows remapped after uncorrected errors, \(rows.corrected) after others"
            if rows.hasFailed {
                found.append(Symptom(.remappingFailed, .unhealthy, "a remapping failed; \(evidence)", .contactSupport))
            }
            if rows.isPending {
                found.append(Symptom(.remappingPending, .degraded, "a remapping waits; \(evidence)", .resetGPU))
            }
        }
        if sample.retiredPages?.isPending == true {
            found.append(Symptom(.retirementPending, .degraded, "memory pages wait to be retired", .resetGPU))
        }
        return found
    }

    private func links(_ sample: Sample) -> [Symptom] {
        var found: [Symptom] = []
        if linkErrors.amount > 0 {
            let evidence = "\(linkErrors.amount) NVLink errors in the last 10 minutes"
            found.append(Symptom(.nvlinkErrors, .degraded, evidence, .followNVLinkWorkflow))
        }
        if activeLinks < mostLinks {
            let evidence = "\(activeLinks) NVLinks are active; there were \(mostLinks)"
            found.append(Symptom(.nvlinkDown, .degraded, evidence, .followNVLinkWorkflow))
        }
        // DCGM's limit (DCGM_LIMIT_MAX_PCIREPLAY_RATE): 8 in a minute.
        if replays.amount > 8 {
            let evidence = "\(replays.amount) PCIe replays in the last minute"
            found.append(Symptom(.pcieReplays, .degraded, evidence, .checkMechanicals))
        }
        // The generation falls when the GPU has nothing to do; the width does not.
        if let now = sample.pcie?.width, let limit = gpu.pcieLimit?.width, now < limit {
            let evidence = "PCIe has \(now) lanes of \(limit)"
            found.append(Symptom(.pcieWidth, .degraded, evidence, .checkMechanicals))
        }
        return found
    }

    /// A minute of grace after the last sighting, so that it does not flicker; ten minutes make it serious.
    private func clocks() -> [Symptom] {
        [
            heat.map { Self.slowdown(.thermalSlowdown, "heat", $0) },
            brake.map { Self.slowdown(.powerBrake, "an outer power brake signal", $0) },
        ].compactMap(\.self)
    }

    private static func slowdown(_ rule: Rule, _ cause: String, _ seen: Sighting) -> Symptom {
        let isLong = seen.length >= 600
        let evidence = "clocks are held down by \(cause), for \(Int(seen.length)) s by now"
        return Symptom(rule, isLong ? .unhealthy : .degraded, evidence, .checkMechanicals, since: seen.first)
    }

    private func fabric(_ sample: Sample) -> Symptom? {
        guard let fabric = sample.fabric else { return nil }
        switch fabric.state {
        case .notSupported: return nil
        case .notStarted:
            return Symptom(.fabric, .unhealthy, "it is not registered with the Fabric Manager", .restartFabricManager)
        case .inProgress:
            return Symptom(.fabric, .degraded, "it is still registering with the Fabric Manager", .restartFabricManager)
        case .completed:
            guard fabric.status == 0 else {
                let evidence = "the Fabric Manager refused it: \(NVMLError.Code(rawValue: fabric.status))"
                return Symptom(.fabric, .unhealthy, evidence, .restartFabricManager)
            }
            let troubles = fabric.troubles
            guard !troubles.isEmpty else { return nil }
            return Symptom(.fabric, .degraded, troubles.joined(separator: ", "), .followNVLinkWorkflow)
        }
    }
}

extension Sample.Fabric {
    /// NVML_GPU_FABRIC_HEALTH_MASK_…: two bits each, 1 meaning yes.
    fileprivate var troubles: [String] {
        guard let health else { return [] }
        let words = ["bandwidth is degraded", "a route is recovering", "a route is unhealthy", "an access timed out"]
        return words.indices.filter { health >> (UInt32($0) * 2) & 3 == 1 }.map { words[$0] }
    }
}
