//! The door of modkeep: one file a verb.

fn main() {}
