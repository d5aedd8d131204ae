//! The natural logarithm, without a library of mathematics.
//!
//! Where the standard library's is used, a program loads the system's mathematics library for this one
//! function: 288 KiB resident in an idle daemon (docs/adr/0021-endpoint-daemon.md).

use core::f64::consts::LN_2;

/// `ln x` to eleven digits, for a normal number above zero.
pub(crate) fn ln(x: f64) -> f64 {
    // x = m · 2^e, with m from 1 to 2.
    let bits = x.to_bits();
    let exponent = f64::from(u32::try_from(bits >> 52).unwrap_or_default()) - 1023.0;
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    // ln m = 2 artanh s, and s is at most 1/3.
    let s = (m - 1.0) / (m + 1.0);
    let odd = [
        23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0,
    ];
    let series = odd
        .into_iter()
        .fold(0.0, |sum, k: f64| sum * s * s + k.recip());
    2.0 * s * series + exponent * LN_2
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn it_is_the_logarithm() {
        assert_eq!(ln(1.0), 0.0);
        let smallest = 0.5 / 4_294_967_296.0;
        let steps = (1..100_000).map(|step| f64::from(step) / 100_000.0);
        for x in steps.chain([smallest, 1.5 / 4_294_967_296.0, 2.0, 1e300, 1e-300]) {
            let (found, expected) = (ln(x), x.ln());
            assert!(
                (found - expected).abs() <= 1e-11 * expected.abs().max(1.0),
                "{x}"
            );
        }
    }
}
