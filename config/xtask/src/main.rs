//! `cargo xtask …`: the developer tool. Everything a developer, a packager or a check types.
//!
//! One module per subcommand, on four small ones that they share; read in this order:
//!
//! 1. [`repo`]: where things are (the clone, `target/`, the cache).
//! 2. [`exec`]: running other programs, with a deadline where they might hang.
//! 3. [`tools`]: the Debian packages a subcommand needs, installed or asked for.
//! 4. [`install`]: the prefix (with [`link`], [`pkgconfig`], [`man`]), on which all that follows stands.
//! 5. [`cluster`]: virtual hosts.
//! 6. [`demo`], [`test`], [`fuzz`], [`conformance`], [`bench`], [`tune`]: the programs people see, our own tests, made-up inputs, the suites of others, measurements,
//!    and what the library is to make of them.
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
mod tune;

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
    /// Measure at which lengths the library changes its way best here, and write the table
    Tune(tune::Args),
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
        Command::Tune(args) => tune::run(&args).map(success),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_fit_together() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
