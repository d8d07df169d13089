/// Who may log in, and how the hub finds out.
package enum AuthMode: String, CaseIterable, Sendable { case native, github, azuread }

package enum ClusterProvider: String, CaseIterable, Sendable { case microk8s, existing }

package enum PullPolicy: String, CaseIterable, Sendable {
    case ifNotPresent = "IfNotPresent"
    case never = "Never"
    case always = "Always"
}

/// Where a user's home is: a volume made for the user, one that is there already, or nowhere.
package enum HomeStorage: String, CaseIterable, Sendable { case dynamic, `static`, none }

/// What Nginx does with a plain HTTP request.
package enum PlainHTTP: String, CaseIterable, Sendable { case redirect, proxy }
