//! The `closte-sync` program.

fn main() {}
