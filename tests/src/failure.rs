//! Errors that fail a test where they happen.

use std::convert::Infallible;
use std::fmt::Display;

/// What a test returns, so that it can use `?` for everything.
pub type TestResult = Result<(), Failure>;

/// Never made: turning an error into it panics at the `?` it came from. A panic names the line, and it lets what is
/// dropped on the way out know that the test is failing and show its logs.
#[derive(Clone, Copy, Debug)]
pub struct Failure(Infallible);

impl<E: Display> From<E> for Failure {
    #[track_caller]
    #[expect(clippy::panic, reason = "failing the test is the whole purpose")]
    fn from(error: E) -> Self {
        panic!("{error:#}")
    }
}
