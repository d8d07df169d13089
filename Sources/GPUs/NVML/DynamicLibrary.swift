import CNVML
import Glibc

/// A library that was opened at run time; it is closed with this.
struct DynamicLibrary: ~Copyable {
    let path: String
    private let handle: UnsafeMutableRawPointer

    /// The reason is the linker's own: which file, and what is wrong with it.
    init(_ path: String) throws(LibraryFault) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw LibraryFault(reason: dlerror().map { String(cString: $0) } ?? "could not open \(path)")
        }
        (self.path, self.handle) = (path, handle)
    }

    deinit { dlclose(handle) }

    /// Where the linker found it, which holds one of these functions.
    func file(with function: String) -> String? {
        var place = dl_place_t()
        guard let address = dlsym(handle, function), dl_place(address, &place) != 0 else { return nil }
        return String(cString: place.file)
    }

    /// Nil where the library has no such function. The type has to be that of the documentation.
    func function<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
}

struct LibraryFault: Error {
    var reason: String
}
