//! Runs the UniFFI generator of exactly the version that the bindings are built with.

fn main() {
    uniffi::uniffi_bindgen_main()
}
