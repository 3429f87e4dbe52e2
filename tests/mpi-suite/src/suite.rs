//! The whole suite against one MPI: select, compile, run one after the other, report.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::compile::{self, Built, Unit};
use crate::manifest::{Language, Manifest, Test};
use crate::report::{Excluded, NotPassed, Report};
use crate::run::{self, Job};
use crate::{Mpi, home};

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub mpi: Mpi,
    /// For binaries and kept outputs.
    pub work_dir: PathBuf,
    /// Only runs whose name matches.
    pub filter: Option<Regex>,
    /// Only chapters of these names; all when empty.
    pub chapters: Vec<String>,
    /// Only runs with these numbers of ranks; all when empty.
    pub ranks: Vec<usize>,
    pub heavy: bool,
    /// Multiplies every time limit, for slow or busy machines.
    pub slowness: f64,
    pub verbose: bool,
}

impl Options {
    pub fn new(mpi: Mpi) -> Options {
        let work_dir = crate::default_work_dir();
        Options {
            mpi,
            work_dir,
            filter: None,
            chapters: Vec::new(),
            ranks: Vec::new(),
            heavy: false,
            slowness: 1.0,
            verbose: false,
        }
    }
}

/// One line of work: a test at one number of ranks in one language.
struct Case<'a> {
    test: &'a Test,
    ranks: usize,
    language: Language,
}

enum Verdict {
    Pass,
    Fail(String),
    Skip(String),
}

/// Runs what the options select. The report tells all; the caller decides the exit status from its counts.
pub fn run(options: &Options) -> Result<Report> {
    let manifest = Manifest::load(&home().join("manifest.toml"))?;
    let cases = select(&manifest, options);
    let installation = options.work_dir.join(&options.mpi.name);
    let kept = installation.join("output");
    std::fs::create_dir_all(&kept).with_context(|| format!("creating {}", kept.display()))?;
    let spared = spared(&manifest, options);
    let units = units(cases.iter().chain(&spared));
    let built = compile::build_all(&options.mpi, &home().join("c"), &installation.join("bin"), units, 2)?;
    let mut report = Report { suite: "own".into(), version: env!("CARGO_PKG_VERSION").into(), ..Report::default() };
    exclude(&manifest, options, &mut report);
    for case in &cases {
        let name = case.name();
        let start = Instant::now();
        let verdict = run_case(options, case, &built, &kept.join(file_stem(&name)))?;
        let dir = report.dir(case.test.chapter());
        dir.listed += 1;
        dir.seconds += start.elapsed().as_secs_f64();
        match verdict {
            Verdict::Pass => {
                dir.pass += 1;
                if options.verbose {
                    println!("ok    {name}  ({:.2} s)", start.elapsed().as_secs_f64());
                }
            }
            Verdict::Fail(why) => {
                println!("FAIL  {name}: {why}");
                dir.fail.push(NotPassed { name, why });
            }
            Verdict::Skip(why) => {
                println!("skip  {name}: {why}");
                dir.skip.push(NotPassed { name, why });
            }
        }
        report.ranks = report.ranks.max(case.ranks);
    }
    ensure!(!cases.is_empty(), "no test matches");
    for case in &spared {
        if let Some(Err(why)) = built.get(&Unit::program(case.test, case.language)) {
            println!("FAIL  {}: {why}", case.name());
            let dir = report.dir(case.test.chapter());
            dir.listed += 1;
            dir.fail.push(NotPassed { name: case.name(), why: why.clone() });
        }
    }
    Ok(report)
}

fn run_case(options: &Options, case: &Case, built: &Built, stem: &std::path::Path) -> Result<Verdict> {
    let test = case.test;
    let path_of = |unit: &Unit| built.get(unit).cloned().unwrap_or_else(|| Err("was not built".into()));
    let (program, preload) = match (path_of(&Unit::program(test, case.language)), Unit::preload(test).map(|u| path_of(&u)))
    {
        (Ok(program), None) => (program, None),
        (Ok(program), Some(Ok(library))) => (program, Some(library)),
        (Err(why), _) | (_, Some(Err(why))) => return Ok(against_xfail(test, Some(why))),
    };
    let job = Job {
        program: &program,
        ranks: case.ranks,
        args: &test.args,
        env: test.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        preload: preload.as_deref(),
        dir: None,
        stdin: None,
        limit: Duration::from_secs_f64(test.limit as f64 * options.slowness),
    };
    let ended = run::launch(&options.mpi, &job, stem)?;
    let verdict = against_xfail(test, run::judge(&test.expect, &ended, options.mpi.ours));
    // Only what went wrong is worth keeping.
    if !matches!(verdict, Verdict::Fail(_)) {
        let (out, err) = run::output_files(stem);
        std::fs::remove_file(out).and_then(|()| std::fs::remove_file(err)).context("removing a run's output")?;
    }
    Ok(verdict)
}

/// A known failure that fails is skipped, with its reason; one that passes is an error, so that the mark goes away.
fn against_xfail(test: &Test, why: Option<String>) -> Verdict {
    match (why, test.xfail.is_empty()) {
        (None, true) => Verdict::Pass,
        (Some(why), true) => Verdict::Fail(why),
        (Some(_), false) => Verdict::Skip(format!("known to fail: {}", test.xfail)),
        (None, false) => Verdict::Fail(format!("passes, though the manifest knows it to fail: {}", test.xfail)),
    }
}

fn select<'a>(manifest: &'a Manifest, options: &Options) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for test in manifest.tests.iter().filter(|test| wanted(test, options)) {
        for &language in &test.languages {
            for &ranks in &test.ranks {
                cases.push(Case { test, ranks, language });
            }
        }
    }
    cases.retain(|case| options.ranks.is_empty() || options.ranks.contains(&case.ranks));
    cases.retain(|case| options.filter.as_ref().is_none_or(|filter| filter.is_match(&case.name())));
    cases
}

/// The heavy runs that nobody asked for, one of each program: they rarely run, but compile every time.
fn spared<'a>(manifest: &'a Manifest, options: &Options) -> Vec<Case<'a>> {
    if options.heavy || !options.mpi.ours {
        return Vec::new();
    }
    let all = Options { heavy: true, ..options.clone() };
    let mut cases = select(manifest, &all);
    cases.retain(|case| case.test.heavy);
    cases.dedup_by(|a, b| std::ptr::eq(a.test, b.test));
    cases
}

fn wanted(test: &Test, options: &Options) -> bool {
    let chapter = options.chapters.is_empty() || options.chapters.iter().any(|chapter| chapter == test.chapter());
    chapter && exclusion(test, options).is_none()
}

fn exclusion(test: &Test, options: &Options) -> Option<&'static str> {
    if test.heavy && !options.heavy {
        Some("heavy, and not asked for")
    } else if test.abi && !options.mpi.ours {
        Some("only for HPVM")
    } else {
        None
    }
}

fn exclude(manifest: &Manifest, options: &Options, report: &mut Report) {
    for test in &manifest.tests {
        if let Some(reason) = exclusion(test, options) {
            let excluded = Excluded { name: test.name.clone(), reason: reason.into() };
            report.dir(test.chapter()).excluded.push(excluded);
        }
    }
}

fn units<'a>(cases: impl Iterator<Item = &'a Case<'a>> + Clone) -> Vec<Unit> {
    let mut units: Vec<Unit> = cases.clone().map(|case| Unit::program(case.test, case.language)).collect();
    units.extend(cases.filter_map(|case| Unit::preload(case.test)));
    units.sort();
    units.dedup();
    units
}

impl Case<'_> {
    fn name(&self) -> String {
        let language = if self.language == Language::Cxx { " c++" } else { "" };
        format!("{} -n {}{language}", self.test.name, self.ranks)
    }
}

fn file_stem(name: &str) -> String {
    name.replace(['/', ' '], ".").replace("..", ".")
}
