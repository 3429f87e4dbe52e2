//! `cargo xtask …`: the developer tool. Everything a developer, a packager or a check types.
//!
//! One module per subcommand, on four small ones that they share; read in this order:
//!
//! 1. [`repo`]: where things are (the clone, `target/`, the cache).
//! 2. [`exec`]: running other programs, with a deadline where they might hang.
//! 3. [`tools`]: the Debian packages a subcommand needs, installed or asked for.
//! 4. [`install`]: the prefix (with [`link`], [`pkgconfig`], [`man`]), on which all that follows stands.
//! 5. [`cluster`]: virtual hosts.
//! 6. [`demo`], [`test`], [`fuzz`], [`conformance`], [`bench`]: the programs people see, our own tests, made-up inputs, the suites of others, measurements.
//!
//! Nothing here leaves a trace in the clone outside `target/`; downloads live in the cache.

#![deny(unsafe_code)]

mod bench;
mod cluster;
mod conformance;
mod demo;
mod exec;
mod fuzz;
mod install;
mod link;
mod man;
mod pkgconfig;
mod repo;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The developer tool of HPVM.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build, install, compile the examples, launch them, show what came out
    Demo(demo::Args),
    /// Run all tests of the project
    Test(test::Args),
    /// Give every parser made-up inputs
    Fuzz(fuzz::Args),
    /// Build everything and install it under a prefix that may be moved afterwards
    Install(install::Args),
    /// Run our own suite, or one of others, against the library
    Conformance(conformance::Args),
    /// Measure side by side with other MPIs
    Bench(bench::Args),
    /// Virtual hosts on this machine
    Cluster(cluster::Args),
    /// Measure thresholds and collective choices (not built yet)
    #[command(disable_help_flag = true)]
    Tune(Rest),
}

/// The arguments of a subcommand that does not exist yet: whatever they are, the answer is the same.
#[derive(clap::Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _args: Vec<String>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args).map(success),
        Command::Test(args) => test::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Install(args) => install::run(&args).map(success),
        Command::Conformance(args) => conformance::run(&args),
        Command::Bench(args) => bench::run(&args).map(success),
        Command::Cluster(args) => cluster::run(&args).map(success),
        Command::Tune(_) => not_built("tune", "the thresholds are constants of the source so far"),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn success(_: ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn not_built(command: &str, instead: &str) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`{command}` is not built yet: {instead} (see docs/roadmap.md)")
}
