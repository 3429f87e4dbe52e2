//! The example programs of MPICH's source package: what many people compile first. Each is judged by what it says.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use mpi_suite::Mpi;
use mpi_suite::report::{Dir, NotPassed};
use mpi_suite::run::{self, Job};

use super::mpich;
use crate::exec;

/// The name by which they are asked for.
pub const DIR: &str = "examples";

struct Example {
    name: &'static str,
    stdin: &'static str,
    /// What is wrong with standard output and error at this number of ranks.
    check: fn(&str, &str, usize) -> Option<String>,
}

const EXAMPLES: &[Example] = &[
    Example { name: "cpi", stdin: "", check: pi },
    Example { name: "icpi", stdin: "20000\n0\n", check: pi },
    Example { name: "srtest", stdin: "", check: ring },
];

const RANKS: [usize; 4] = [1, 2, 4, 16];

pub fn run(sources: &Path, prefix: &Path, kept: &Path) -> Result<Dir> {
    let mpi = Mpi::installed(prefix);
    let work = tempfile::tempdir()?;
    let mut dir = Dir { dir: DIR.into(), ..Dir::default() };
    for example in EXAMPLES {
        let program = work.path().join(example.name);
        let compiled = Command::new(&mpi.mpicc)
            .arg(sources.join(example.name).with_extension("c"))
            .arg("-o")
            .arg(&program)
            .arg("-lm")
            .output()?;
        let input = work.path().join("input");
        fs::write(&input, example.stdin)?;
        for ranks in RANKS {
            let name = format!("{} -n {ranks}", example.name);
            let why = if compiled.status.success() {
                run_one(&mpi, &program, &input, ranks, example, &kept.join(format!("{DIR}.{}.{ranks}", example.name)))?
            } else {
                Some(format!("does not compile: {}", String::from_utf8_lossy(&compiled.stderr)))
            };
            dir.listed += 1;
            match why {
                None => dir.pass += 1,
                Some(why) => {
                    println!("FAIL  {DIR}/{name}: {why}");
                    dir.fail.push(NotPassed { name, why });
                }
            }
        }
    }
    Ok(dir)
}

/// Why it did not run right.
fn run_one(
    mpi: &Mpi,
    program: &Path,
    input: &Path,
    ranks: usize,
    example: &Example,
    stem: &Path,
) -> Result<Option<String>> {
    let job = Job {
        program,
        ranks,
        args: &[],
        env: Vec::new(),
        preload: None,
        dir: None,
        stdin: Some(input),
        limit: Duration::from_secs(60),
    };
    let ended = run::launch(mpi, &job, stem)?;
    let why = match ended.status {
        Some(status) if status.success() => (example.check)(&ended.stdout, &ended.stderr, ranks),
        Some(status) => Some(format!("{}{}", exec::ending(status), mpich::first_words(&ended))),
        None => Some(format!("no end within {:.0} s", ended.seconds)),
    };
    if why.is_none() {
        let (out, err) = run::output_files(stem);
        fs::remove_file(out).and_then(|()| fs::remove_file(err))?;
    }
    Ok(why)
}

/// One result, and right to ten digits.
fn pi(stdout: &str, _: &str, _: usize) -> Option<String> {
    let results: Vec<_> = stdout.match_indices("pi is approximately ").map(|(at, text)| &stdout[at + text.len()..]).collect();
    let [result] = results[..] else {
        return Some(format!("{} results instead of one", results.len()));
    };
    let digits: String = result.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let right = digits.parse::<f64>().is_ok_and(|value| (value - std::f64::consts::PI).abs() < 1e-8);
    (!right).then(|| format!("computed {digits}"))
}

/// Every rank says who it is and has received the text once.
fn ring(stdout: &str, stderr: &str, ranks: usize) -> Option<String> {
    for rank in 0..ranks {
        let received = format!("{rank} received 'hello there'");
        if stdout.lines().filter(|line| line.trim() == received).count() != 1 {
            return Some(format!("not once: {received}"));
        }
        let process = format!("Process {rank} of {ranks}");
        if !stderr.lines().any(|line| line == process) {
            return Some(format!("not said: {process}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        assert_eq!(pi("Enter: pi is approximately 3.1415926535902168, Error is 0.0\n", "", 1), None);
        assert!(pi("pi is approximately 3.1425926535902168, Error\n", "", 1).is_some());
        assert!(pi("", "", 1).is_some());
        let out = "0 sending 'hello there' \n1 received 'hello there' \n0 received 'hello there' \n";
        assert_eq!(ring(out, "Process 0 of 2\nProcess 1 of 2\n", 2), None);
        assert!(ring(out, "Process 0 of 2\n", 2).is_some());
        assert!(ring(out, "Process 0 of 3\nProcess 1 of 3\nProcess 2 of 3\n", 3).is_some());
    }
}
