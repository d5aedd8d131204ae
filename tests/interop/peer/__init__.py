"""An independent endpoint of the RingTrue protocol, written from its specification alone.

Nothing here is shared with the Rust sources: not a parser, not a constant, not a test helper. It
exists so that a disagreement between the two implementations shows up as a failed case.
"""
