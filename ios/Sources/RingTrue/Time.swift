// Times and durations as they cross the border: milliseconds and seconds in whole numbers.

import Foundation

extension Duration {
    /// Whole milliseconds, rounded up so that a deadline is never cut to nothing; none for a negative
    /// duration, and as many as fit for a very long one.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
        if overflow { return .max }
        let part = (UInt64(attoseconds) + 999_999_999_999_999) / 1_000_000_000_000_000
        let (sum, sumOverflow) = product.addingReportingOverflow(part)
        return sumOverflow ? .max : sum
    }
}

extension Date {
    /// A time in seconds since the Unix epoch.
    init(unixSeconds: UInt64) {
        self.init(timeIntervalSince1970: TimeInterval(unixSeconds))
    }

    /// A time in milliseconds since the Unix epoch.
    init(unixMilliseconds: UInt64) {
        self.init(timeIntervalSince1970: TimeInterval(unixMilliseconds) / 1_000)
    }

    /// Whole milliseconds since the Unix epoch; none before it.
    var unixMilliseconds: UInt64 {
        UInt64(clamping: Int64((timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    /// Whole seconds since the Unix epoch; none before it.
    var unixSeconds: UInt64 {
        UInt64(clamping: Int64(timeIntervalSince1970.rounded(.down)))
    }
}
