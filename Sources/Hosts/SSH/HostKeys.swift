/// The keys that hosts show, for a person to compare.
package enum HostKeys {
    /// Every key of the types that this program can check: ed25519 and ECDSA.
    package static func scan(
        _ address: String, port: UInt16 = 22, jumps: [SSHTarget] = []
    ) async throws(SSHError) -> [HostKey] {
        var below: SSHTransport?
        if let last = jumps.last {
            var way = last
            way.jumps = jumps.dropLast()
            below = try await SSHTransport.open(way, name: "\(last.address), on the way to \(address)")
        }
        let target = SSHTarget(address, port: port, logins: [], hostKey: nil)
        do throws(SSHError) {
            let keys = try await scan(target, name: address, through: below)
            await below?.close()
            return keys
        } catch {
            await below?.close()
            throw error
        }
    }

    static func scan(_ target: SSHTarget, name: String, through below: SSHTransport?) async throws(SSHError)
        -> [HostKey]
    {
        var keys: [HostKey] = []
        var fault: SSHError?
        for type in HostKey.types {
            do throws(SSHError) {
                let transport = try await SSHTransport.greet(target, name: name, through: below, hostKeyTypes: [type])
                if let key = await transport.shownKey { keys.append(key) }
                await transport.end()
            } catch {
                // It may have no key of this type.
                fault = error
            }
        }
        if keys.isEmpty, let fault { throw fault }
        return keys
    }
}
