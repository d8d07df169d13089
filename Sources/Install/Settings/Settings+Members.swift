extension Settings {
    static let hub = HubKeys()
    static let login = LoginKeys()
    static let server = ServerKeys()
    static let storage = StorageKeys()
    static let limits = LimitKeys()
    static let access = AccessKeys()
    static let agent = AgentKeys()
    static let cluster = ClusterKeys()
    static let later = LaterKeys()

    static let groups: [any Sendable] = [
        cluster, hub, login, server, storage, limits, access, agent, later, FormerKeys(),
    ]

    /// Every key there is, in the order in which a default may refer to another.
    package static let allKeys: [any AnyKey] = groups.flatMap { group in
        Mirror(reflecting: group).children.flatMap { child in
            let keys = (child.value as? any AnyKey).map { [$0] } ?? child.value as? [any AnyKey] ?? []
            return keys.flatMap { $0.isSecret ? [$0, $0.fileVariant] : [$0] }
        }
    }

    package static let keysByName = Dictionary(allKeys.map { ($0.name, $0) }) { first, _ in first }

    package subscript<Value>(dynamicMember key: KeyPath<HubKeys, Key<Value>>) -> Value {
        get { value(of: Self.hub[keyPath: key]) }
        set { set(Self.hub[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<LoginKeys, Key<Value>>) -> Value {
        get { value(of: Self.login[keyPath: key]) }
        set { set(Self.login[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<ServerKeys, Key<Value>>) -> Value {
        get { value(of: Self.server[keyPath: key]) }
        set { set(Self.server[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<StorageKeys, Key<Value>>) -> Value {
        get { value(of: Self.storage[keyPath: key]) }
        set { set(Self.storage[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<LimitKeys, Key<Value>>) -> Value {
        get { value(of: Self.limits[keyPath: key]) }
        set { set(Self.limits[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<AccessKeys, Key<Value>>) -> Value {
        get { value(of: Self.access[keyPath: key]) }
        set { set(Self.access[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<AgentKeys, Key<Value>>) -> Value {
        get { value(of: Self.agent[keyPath: key]) }
        set { set(Self.agent[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<ClusterKeys, Key<Value>>) -> Value {
        get { value(of: Self.cluster[keyPath: key]) }
        set { set(Self.cluster[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<LaterKeys, Key<Value>>) -> Value {
        get { value(of: Self.later[keyPath: key]) }
        set { set(Self.later[keyPath: key], to: newValue) }
    }
}
