// Whether the native library is the one that the generated code was made for.

internal import RingTrueFFI

enum Library {
    /// Asked wherever an application enters: the generated code would end the process at its first call.
    ///
    /// - Throws: `library_mismatch`.
    static func check() throws(RingTrueError) {
        if !ringTrueFFIFitsItsLibrary() { throw .libraryMismatch }
    }
}
