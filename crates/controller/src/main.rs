//! The program: parse the command line, run what it asks for.

use std::process::ExitCode;

use anyhow::Context;
use controller::cli::{self, Verb};
use controller::config::Config;
use controller::{log, run};

/// Threads of the runtime. What runs on them mostly waits: one serves thousands of requests a second, and with two a tenth of the
/// processor time goes into handing work from one to the other. Certificates are issued on threads of their own.
const WORKERS: usize = 1;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let verb = match cli::parse(words.clone()) {
        Ok(verb) => verb,
        Err(error) => {
            // Where nobody reads what is wrong, the exit code still says that something is.
            let _ = error.print();
            return cli::usage_exit_code(&words, &error).into();
        }
    };
    match verb {
        Verb::Run(args) => match Config::try_from(*args) {
            Ok(config) => ended(execute(config)),
            Err(error) => ended(Err(error.into())),
        },
        Verb::Sign(args) => cli::sign::run(&args),
        Verb::Config(args) => cli::config::run(&args),
        Verb::Explain(args) => cli::explain::run(&args),
        Verb::Approve(args) => cli::approve::run(&args),
        Verb::Status(args) => cli::status::run(&args),
        Verb::Import(args) => cli::import::run(&args),
        Verb::Completion(args) => cli::completion::run(args),
        Verb::Version => {
            println!("{}", cli::version::text());
            ExitCode::SUCCESS
        }
    }
}

fn execute(config: Config) -> anyhow::Result<()> {
    log::init(config.log.format, &config.log.level)?;
    // The first one wins, and there is no other.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let result = runtime.block_on(run::run(config));
    // What is still under way is dropped, not waited for.
    runtime.shutdown_background();
    Ok(result?)
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
