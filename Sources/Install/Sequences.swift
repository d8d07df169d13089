/// What is done, in order.
package enum Sequences {
    package static let install: [any Stage] = [
        PrepareHost(),
        PlaceCluster(),
        LoadImages(),
        ConnectNetwork(),
        ServeNames(),
        KeepStorage(),
        InstallHub(),
        OpenAccess(),
    ]
}
