//! The RingTrue SDK: an endpoint that announces, verifies and answers calls out of band.
