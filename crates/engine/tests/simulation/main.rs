//! The engine against a model of everything around it, in virtual time: an API server with optimistic locking and a watch
//! that lags, repeats itself and breaks off; answers that get lost; replicas that crash, lead and cease to lead; people who
//! approve, deny, delete and grant permissions late. Everything follows from a seed, which a failure prints.
//!
//! `SIMULATION_SEEDS=100000 cargo test -p engine --test simulation` plays more stories than the ten thousand,
//! `SIMULATION_SEED=42` that one alone.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod approver;
mod dice;
mod object;
mod replica;
mod scenarios;
mod server;
mod story;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use story::Story;

#[test]
fn whatever_happens_comes_right_in_the_end() {
    #[expect(clippy::disallowed_methods, reason = "how much to play is for whoever runs the test to say")]
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(10_000),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| Story::play(seed))) {
            eprintln!("seed {seed}: play it again with SIMULATION_SEED={seed}");
            resume_unwind(panic);
        }
    }
}
