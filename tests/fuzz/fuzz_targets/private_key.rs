#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| ringtrue_tests::fuzz_targets::run(
    "private_key",
    octets
));
