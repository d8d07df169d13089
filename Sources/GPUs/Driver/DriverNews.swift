/// What the driver's thread has to say, as soon as it knows it: a GPU that hangs holds back no other's.
enum DriverNews: Sendable {
    case status(DriverStatus)
    case description(GPU)
    case sample(PCIAddress, Sample)
    /// The driver counts it among its GPUs and cannot reach it.
    case unreachable(PCIAddress, NVMLError)
    /// All GPUs were asked; these are those that the driver shows, unreachable ones too.
    case round(shown: Set<PCIAddress>, ended: Moment, duration: Double)
    case xid(XIDEvent)
}
