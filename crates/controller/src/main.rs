//! The program: parse the command line, run what it asks for.

fn main() {}
