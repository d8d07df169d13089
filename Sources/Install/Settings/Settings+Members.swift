extension Settings {
    static let hub = HubKeys()
    static let login = LoginKeys()
    static let server = ServerKeys()
    static let storage = StorageKeys()
    static let limits = LimitKeys()
    static let access = AccessKeys()
    static let cluster = ClusterKeys()
    static let later = LaterKeys()

    /// Every key there is, in the order in which people read them.
    package static let allKeys: [any AnyKey] =
        [hub, login, server, storage, limits, access, cluster, later].flatMap { group in
            Mirror(reflecting: group).children.flatMap { child in
                (child.value as? any AnyKey).map { [$0] } ?? child.value as? [any AnyKey] ?? []
            }
        }

    package static let keysByName: [String: any AnyKey] = Dictionary(allKeys.map { ($0.name, $0) }) { first, _ in first }

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
    package subscript<Value>(dynamicMember key: KeyPath<ClusterKeys, Key<Value>>) -> Value {
        get { value(of: Self.cluster[keyPath: key]) }
        set { set(Self.cluster[keyPath: key], to: newValue) }
    }
    package subscript<Value>(dynamicMember key: KeyPath<LaterKeys, Key<Value>>) -> Value {
        get { value(of: Self.later[keyPath: key]) }
        set { set(Self.later[keyPath: key], to: newValue) }
    }
}
