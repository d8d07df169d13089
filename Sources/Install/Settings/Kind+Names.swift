extension Settings.Kind where Value == String {
    static var name: Self { anything }
    static var version: Self { anything }
    static var image: Self { anything }
    static var user: Self { anything }
    static var host: Self { anything }
    static var address: Self { anything }
    static var url: Self { anything }
    static var origin: Self { anything }
    static var mountPath: Self { anything }
}
