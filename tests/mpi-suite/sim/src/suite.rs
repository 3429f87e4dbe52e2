//! The programs that the suite's manifest marks `sim`, each at many seeds.

use crate::attempt::{self, Outcome, Plan, Trouble};
use crate::program::{self, Object};
use crate::sys::Ended;
use crate::world;
use anyhow::Result;
use mpi_suite::manifest::{Manifest, Test};
use regex::Regex;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Runs them and prints each failure as it comes with the command that repeats it; then where the time went, and the sum
/// as the last line. Returns whether nothing failed.
pub fn run(seeds: Range<u64>, trouble: Trouble, filter: Option<&Regex>, jobs: usize) -> Result<bool> {
    let manifest = Manifest::load(&mpi_suite::home().join("manifest.toml"))?;
    let chosen = |test: &&Test| test.sim && filter.is_none_or(|filter| filter.is_match(&test.name));
    let tests: Vec<&Test> = manifest.tests.iter().filter(chosen).collect();
    let by_name: BTreeMap<&str, &Test> = tests.iter().map(|test| (test.name.as_str(), *test)).collect();
    let mut sums = Sums::default();
    let mut uncompiled = 0;
    let mut last = None;
    // Compiled when its turn has come, while others run.
    let plans = tests.iter().flat_map(|test| match object(test, &mut last) {
        Ok(object) => plans_of(test, &object, seeds.clone(), trouble),
        Err(error) => {
            println!("FAIL  {}: {error:#}", test.name);
            uncompiled += test.ranks.len();
            Vec::new()
        }
    });
    attempt::run_all(plans, jobs, |plan, outcome| {
        let failure = failure(by_name[plan.name.as_str()], plan, &outcome);
        sums.add(plan, &outcome, failure);
    })?;
    Ok(sums.print(uncompiled))
}

/// The program of `test`. Several tests in a row run the same one: `last` is the one compiled last.
fn object(test: &Test, last: &mut Option<(String, Vec<String>, Object)>) -> Result<Object> {
    if let Some((program, flags, object)) = last
        && (&*program, &*flags) == (&test.program, &test.flags)
    {
        return Ok(object.clone());
    }
    let object = program::object(&source(test), &test.flags)?;
    *last = Some((test.program.clone(), test.flags.clone(), object.clone()));
    Ok(object)
}

fn source(test: &Test) -> std::path::PathBuf {
    mpi_suite::home().join("c").join(&test.program)
}

fn plans_of(test: &Test, object: &Object, seeds: Range<u64>, trouble: Trouble) -> Vec<Plan> {
    let shown = [vec![source(test).display().to_string()], test.args.clone()].concat().join(" ");
    let plan = |ranks: usize, seed: u64| Plan {
        name: test.name.clone(),
        object: object.clone(),
        shown: shown.clone(),
        args: test.args.clone(),
        env: test.env.clone().into_iter().collect(),
        flags: test.flags.clone(),
        ranks: ranks as u32,
        seed,
        trouble,
        limit_s: 2 * test.limit as u32,
    };
    test.ranks.iter().flat_map(|&ranks| seeds.clone().map(move |seed| (ranks, seed))).map(|(ranks, seed)| plan(ranks, seed)).collect()
}

/// What a program of the suite has to show: see `Expect` of the manifest.
fn failure(test: &Test, plan: &Plan, outcome: &Outcome) -> Option<String> {
    // It may have ended before anyone died.
    if plan.trouble.crash && outcome.ended == Ended::Status(world::CRASHED) {
        return None;
    }
    let wanted = |pattern: &Option<String>| pattern.as_ref().and_then(|pattern| Regex::new(pattern).ok());
    let patterns = [wanted(&test.expect.stdout), wanted(&test.expect.stderr)];
    outcome.failure().or_else(|| {
        let missing = patterns.iter().flatten().find(|pattern| !pattern.is_match(&outcome.output));
        missing.map(|pattern| format!("does not say {pattern}"))
    }).or_else(|| {
        let says_nothing = patterns.iter().all(Option::is_none) && !outcome.output.contains("No Errors");
        says_nothing.then(|| "does not say \"No Errors\"".into())
    })
}

/// What has been seen of each test at each number of ranks.
#[derive(Default)]
struct Sums(BTreeMap<(String, u32), Sum>);

#[derive(Default)]
struct Sum {
    runs: u32,
    failures: u32,
    took: Duration,
    longest: Duration,
}

/// Lines about where the time went.
const LONGEST_SHOWN: usize = 5;

impl Sums {
    fn add(&mut self, plan: &Plan, outcome: &Outcome, failure: Option<String>) {
        let sum = self.0.entry((plan.name.clone(), plan.ranks)).or_default();
        sum.runs += 1;
        sum.took += outcome.took;
        sum.longest = sum.longest.max(outcome.took);
        let Some(why) = failure else { return };
        println!("FAIL  {} n={} seed {}: {why}\n      again: {}", plan.name, plan.ranks, plan.seed, plan.replay());
        if sum.failures == 0 {
            print!("{}", quoted(&outcome.output));
        }
        sum.failures += 1;
    }

    /// Returns whether nothing failed.
    fn print(&self, uncompiled: usize) -> bool {
        let mut by_time: Vec<_> = self.0.iter().collect();
        by_time.sort_by_key(|(_, sum)| Reverse(sum.took));
        for ((name, ranks), sum) in by_time.iter().take(LONGEST_SHOWN) {
            let (took, longest) = (sum.took.as_secs_f64(), sum.longest.as_secs_f64());
            println!("      {took:.1} s in {name} n={ranks} ({} runs, the longest {longest:.2} s)", sum.runs);
        }
        let (runs, took) = (self.0.values().map(|sum| sum.runs).sum::<u32>(), self.0.values().map(|sum| sum.took).sum::<Duration>());
        println!("      {:.1} s of processor time in {runs} runs", took.as_secs_f64());
        let failed = self.0.values().filter(|sum| sum.failures > 0).count();
        println!("{} passed, {} failed, 0 skipped", self.0.len() - failed, failed + uncompiled);
        failed + uncompiled == 0
    }
}

/// The last lines of a program's output, indented.
fn quoted(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(8)..].iter().map(|line| format!("      | {line}\n")).collect()
}
