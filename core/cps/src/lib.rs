//! The Call Placement Service and key directory: embeddable and standalone.
