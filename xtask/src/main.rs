//! Build and test steps that cargo cannot express.

fn main() {}
