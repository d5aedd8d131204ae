//! Kotlin, Swift and Python bindings: thin, they convert and forward.
