import Glibc

/// The three system calls whose failure the journal must survive. Tests put in ones that fail.
struct JournalDisk: Sendable {
    /// `pwrite`: descriptor, bytes, offset; how many were written, or -1 with `errno`.
    var write: @Sendable (Int32, UnsafeRawBufferPointer, Int) -> Int = {
        pwrite($0, $1.baseAddress, $1.count, off_t($2))
    }
    /// `ftruncate`.
    var truncate: @Sendable (Int32, Int) -> Int32 = { ftruncate($0, off_t($1)) }
    /// `fdatasync`.
    var sync: @Sendable (Int32) -> Int32 = { fdatasync($0) }
}

/// Calls `body` until it is not interrupted by a signal; the negative `errno` when it fails.
func uninterrupted<Count: SignedInteger>(_ body: () -> Count) -> Result<Count, SystemFailure> {
    while true {
        let count = body()
        if count >= 0 { return .success(count) }
        let code = errno
        if code != EINTR { return .failure(SystemFailure(code: code)) }
    }
}

/// What `errno` held.
struct SystemFailure: Error {
    let code: Int32
}
