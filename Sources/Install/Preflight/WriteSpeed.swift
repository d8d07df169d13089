import Hosts
import SystemPackage

/// How long the disk takes to make one small write last. The cluster's
/// datastore waits for that at each change.
struct WriteSpeed: Check {
    let id = "disk.fsync"
    let title = "The disk makes small writes last quickly"

    /// etcd's own measure: 22 MiB in pieces of 2300 bytes, fdatasync after each; here it ends after a bounded time.
    /// perl-base, without the module for times, belongs to every Debian and Ubuntu; 228 and 75 are x86-64's
    /// clock_gettime and fdatasync. The file loses its name at once, so that nothing can be left of it.
    private static let probe = """
        use strict; use Fcntl;
        sub now { my $t = pack 'qq', 0, 0; syscall(228, 1, $t); my ($s, $n) = unpack 'qq', $t; $s + $n / 1e9 }
        my ($folder, $seconds) = @ARGV;
        my $path = "$folder/.jhub-preflight-$$";
        sysopen(my $file, $path, O_RDWR | O_CREAT | O_EXCL, 0600) or die "$path: $!\\n";
        unlink $path or die "$path: $!\\n";
        my ($end, $piece, @took) = (now() + $seconds, 'x' x 2300);
        while (@took < 10030 and now() < $end) {
            my $start = now();
            syswrite($file, $piece) == 2300 or die "write: $!\\n";
            syscall(75, fileno $file) == 0 or die "fdatasync: $!\\n";
            push @took, now() - $start;
        }
        @took = sort { $a <=> $b } @took;
        printf "%d %d\\n", scalar @took, 1e6 * $took[int(0.99 * $#took)];
        """

    func finding(on site: Site) async throws -> Finding {
        let host = site.node
        let stands = try await host.has(site.provider.kubeconfig)
        let folder = try await host.standing(site.provider.imageRoot)
        // Beside a running datastore a short look has to do.
        let seconds = stands ? "0.5" : "3"
        let outcome = try await host.transport.run(
            Command(["perl", "-e", Self.probe, folder.string, seconds], limit: .seconds(10)))
        let words = outcome.output.words
        guard outcome.status == 0, words.count == 2, let count = Int(words[0]), let micros = Int(words[1]) else {
            throw FactError("the probe says '\(outcome.lastWords)'")
        }
        let needs = "99 of 100 within 10 ms (above 250 ms: refused)"
        let measured = "99 of 100 within \(micros / 1000).\(micros % 1000 / 100) ms (\(count) writes in \(folder))"
        let fix = "put \(site.provider.imageRoot) on an SSD, or on a disk with a battery-backed cache"
        if micros <= 10_000 { return .passed(measured, needs: needs) }
        return micros <= 250_000 || stands
            ? .warning(measured, needs: needs, fix: fix) : .failed(measured, needs: needs, fix: fix)
    }
}
