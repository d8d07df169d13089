package import SystemPackage

/// The archives that were carried in, and what they hold.
package struct ImageShelf: Sendable {
    package var archives: [FilePath]
    /// Where what was read is remembered, so that an unchanged archive is not
    /// read again. Only a cache: without it everything is read.
    package var index: FilePath

    package init(archives: [FilePath], index: FilePath) {
        (self.archives, self.index) = (archives, index)
    }

    /// Every image of every archive. Blocks for as long as reading takes.
    package func images() throws(ImageError) -> [ArchivedImage] {
        []
    }
}
