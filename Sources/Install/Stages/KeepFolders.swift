import Hosts
import SystemPackage

/// The folders that the users' servers find on the machine they run on.
package struct KeepFolders: Stage {
    package let name = "folders"
    package let title = "Keep the users' folders"
    package init() {}

    package func plan(for site: Site) async throws -> Plan { .of(try await Self.changes(on: site)) }

    /// The shared folder belongs to root: what is in it is made per user, when a server starts.
    static func changes(on site: Site) async throws -> [Change] {
        let settings = site.settings
        let permissions = FilePermissions(rawValue: 0o755)
        var changes: [Change] = []
        if settings.sharedStorageEnabled {
            let shared = Directory(FilePath(settings.sharedStoragePath.string), permissions: permissions)
            changes += try await site.node.wants(shared, because: "users share files in it")
        }
        if settings.singleuserMountJhubLogs {
            let logs = Directory("/var/log/jupyterhub", permissions: permissions)
            changes += try await site.node.wants(logs, because: "servers write their logs into it")
        }
        return changes
    }
}
