//! Every conversation of an endpoint as a sans-I/O state machine. Pure: no I/O, clock or global.
