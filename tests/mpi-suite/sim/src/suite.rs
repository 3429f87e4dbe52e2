//! The programs that the suite's manifest marks `sim`, each at many seeds.

use crate::attempt::{self, Outcome, Plan, Trouble};
use crate::program;
use crate::sys::Ended;
use crate::world;
use anyhow::Result;
use mpi_suite::manifest::{Manifest, Test};
use regex::Regex;
use std::collections::BTreeMap;
use std::ops::Range;

/// Runs them, one program after the other, and prints what failed, and the sum as the last line. Returns whether nothing
/// failed.
pub fn run(seeds: Range<u64>, trouble: Trouble, filter: Option<&Regex>, jobs: usize) -> Result<bool> {
    let manifest = Manifest::load(&mpi_suite::home().join("manifest.toml"))?;
    let (mut passed, mut failed) = (0, 0);
    for test in manifest.tests.iter().filter(|test| test.sim && filter.is_none_or(|filter| filter.is_match(&test.name))) {
        let mut failures = BTreeMap::new();
        match plans_of(test, seeds.clone(), trouble) {
            Ok(plans) => attempt::run_all(plans, jobs, |plan, outcome| {
                let failures: &mut Vec<String> = failures.entry(plan.ranks).or_default();
                if let Some(why) = failure(test, plan, &outcome) {
                    let (seed, again) = (plan.seed, plan.replay());
                    failures.push(format!("seed {seed}: {why}\n      again: {again}\n{}", quoted(&outcome.output)));
                }
            })?,
            Err(error) => _ = failures.insert(0, vec![format!("{error:#}")]),
        }
        for (ranks, failures) in failures {
            match failures.first() {
                None => passed += 1,
                Some(first) => {
                    failed += 1;
                    println!("FAIL  {} n={ranks}: {} failures, one of them: {first}", test.name, failures.len());
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed, 0 skipped");
    Ok(failed == 0)
}

fn plans_of(test: &Test, seeds: Range<u64>, trouble: Trouble) -> Result<Vec<Plan>> {
    let source = mpi_suite::home().join("c").join(&test.program);
    let object = program::object(&source, &test.flags)?;
    let shown = [vec![source.display().to_string()], test.args.clone()].concat().join(" ");
    let plan = |ranks: usize, seed: u64| Plan {
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
    Ok(test.ranks.iter().flat_map(|&ranks| seeds.clone().map(move |seed| (ranks, seed))).map(|(ranks, seed)| plan(ranks, seed)).collect())
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

/// The last lines of a program's output, indented.
fn quoted(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(8)..].iter().map(|line| format!("      | {line}\n")).collect()
}
