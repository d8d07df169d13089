import ArgumentParser
import Bundles
import HTTP
import Hosts
import Images
import Install
import Kube

/// The exit statuses, everywhere the same.
enum ExitStatus {
    static let failed = ExitCode(1)
    static let wrongInput = ExitCode(2)
    static let workLeft = ExitCode(3)
    static let preflight = ExitCode(4)
    static let someNodes = ExitCode(5)
    static let locked = ExitCode(6)
    static let interrupted = ExitCode(130)

    /// The status for an error of ours; nil for those of the argument parser, which has its own.
    static func of(_ error: any Error) -> ExitCode? {
        switch error {
        case is SettingsError, is BundleError: wrongInput
        case let fault as BundleFault: of(fault.blame)
        case is LockError: locked
        case InstallError.interrupted: interrupted
        case is CancellationError: interrupted
        case is ExitCode, is ValidationError, is CleanExit: nil
        case is InstallError, is NodeFailure, is SSHError, is TransportError, is FactError, is ImageError, is HTTPError,
            is KubeError, is NoCluster:
            failed
        default: String(reflecting: type(of: error)).hasPrefix("ArgumentParser.") ? nil : failed
        }
    }

    private static func of(_ blame: BundleFault.Blame) -> ExitCode {
        switch blame {
        case .bundle: wrongInput
        case .machine: failed
        case .nobody: interrupted
        }
    }
}
