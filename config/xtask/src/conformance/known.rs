//! What is known of MPICH's suite: `tests/mpi-suite/mpich.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use mpi_suite::report::{NotPassed, Report};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    #[serde(default)]
    exclude: Vec<Entry>,
    #[serde(default)]
    known: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `directory/program`, or `directory/` for all below it.
    name: String,
    reason: String,
}

impl Known {
    pub fn load() -> Result<Known> {
        let path = mpi_suite::home().join("mpich.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Why a program is not run.
    pub fn excluded(&self, dir: &str, program: &Path) -> Option<&str> {
        let path = Path::new(dir).join(program);
        let entry = self.exclude.iter().find(|entry| match entry.name.ends_with('/') {
            true => path.starts_with(&entry.name),
            false => path == Path::new(&entry.name),
        });
        entry.map(|entry| &*entry.reason)
    }

    /// Known failures become skips, and an entry whose program no longer fails a failure. Only for a run without a filter.
    pub fn judge(&self, report: &mut Report) {
        for dir in &mut report.dirs {
            let known_here = self.known.iter().filter_map(|entry| Some((entry, in_dir(&entry.name, &dir.dir)?)));
            for (entry, program) in known_here {
                let of_program = |test: &NotPassed| test.name.split(' ').next() == Some(program);
                let before = dir.fail.len();
                dir.fail.retain(|test| !of_program(test));
                let failed = before - dir.fail.len();
                if failed == 0 {
                    let why = "passes; take it out of tests/mpi-suite/mpich.toml".to_owned();
                    println!("FAIL  {}: {why}", entry.name);
                    dir.fail.push(NotPassed { name: program.into(), why });
                }
                let skip = || NotPassed { name: program.into(), why: format!("known to fail: {}", entry.reason) };
                dir.skip.extend((0..failed).map(|_| skip()));
            }
        }
    }
}

fn in_dir<'a>(name: &'a str, dir: &str) -> Option<&'a str> {
    name.strip_prefix(dir)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpi_suite::report::Dir;

    fn failed(name: &str) -> NotPassed {
        NotPassed { name: name.into(), why: "status 1".into() }
    }

    #[test]
    fn the_list_is_readable() {
        assert!(Known::load().unwrap().excluded("datatype", Path::new("pack_external")).is_some());
        assert!(Known::load().unwrap().excluded("pt2pt", Path::new("pack_external")).is_none());
        assert!(Known::load().unwrap().excluded("errors", Path::new("rma/winerr")).is_some());
    }

    #[test]
    fn known_failures_are_skipped_and_surprises_fail() {
        let entry = |name: &str| Entry { name: name.into(), reason: "why".into() };
        let known = Known { exclude: Vec::new(), known: vec![entry("comm/ic1"), entry("comm/gone"), entry("coll/ic1")] };
        let fail = vec![failed("ic1 -n 4"), failed("ic1 -n 8"), failed("ic10 -n 4")];
        let mut report = Report { dirs: vec![Dir { dir: "comm".into(), fail, ..Dir::default() }], ..Report::default() };
        known.judge(&mut report);
        let names: Vec<_> = report.dirs[0].fail.iter().map(|test| &*test.name).collect();
        assert_eq!(names, ["ic10 -n 4", "gone"]);
        assert_eq!(report.dirs[0].skip.len(), 2);
    }
}
