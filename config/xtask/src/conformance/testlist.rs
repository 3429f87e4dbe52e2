//! MPICH's lists of tests. A line is `program [ranks [key=value …]]`; a program that is a directory stands for that
//! directory's own list.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Ranks when a line names none, and the seconds that a test has.
const RANKS: usize = 2;
const LIMIT: u64 = 180;

/// What makes a run a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// Exit status 0 and the line "No Errors".
    NoErrors,
    /// Any other exit status: the program fails on purpose, or never ends and has to be stopped at its limit.
    Failure,
    /// Any other exit status, and the line "No Errors" all the same.
    FailureNoErrors,
}

/// One line of a list.
#[derive(Debug)]
pub struct Entry {
    /// The folder to run in.
    pub dir: PathBuf,
    pub program: String,
    pub ranks: usize,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub launcher_args: Vec<String>,
    pub limit: u64,
    pub pass: Pass,
    /// The memory that it needs, in GB.
    pub memory: f64,
    /// Why the suite itself does not run it, configured as it is.
    pub skip: Option<&'static str>,
}

impl Entry {
    /// As a person would type it, below a directory: unique within its list but for repeated lines.
    pub fn name(&self, root: &Path) -> String {
        let dir = self.dir.strip_prefix(root).unwrap_or(&self.dir);
        let mut name = format!("{} -n {}", dir.join(&self.program).display(), self.ranks);
        for arg in &self.args {
            name += &format!(" {arg}");
        }
        for (variable, value) in &self.env {
            name += &format!(" {variable}={value}");
        }
        name
    }
}

/// The entries of a directory's `testlist`, those of subdirectories in their place.
pub fn read(dir: &Path) -> Result<Vec<Entry>> {
    let list = dir.join("testlist");
    let text = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut entries = Vec::new();
    for line in text.lines() {
        let Some(entry) = parse(line, dir) else { continue };
        let folder = dir.join(&entry.program);
        if !folder.is_dir() {
            entries.push(entry);
        } else if entry.skip.is_none() {
            entries.extend(read(&folder)?);
        }
    }
    Ok(entries)
}

/// One line; `None` for a blank one and for `!dir:target`, which builds a helper that `make all` builds as well.
fn parse(line: &str, dir: &Path) -> Option<Entry> {
    let mut words = line.split('#').next()?.split_whitespace();
    let program = words.next().filter(|program| !program.starts_with('!'))?;
    // `sub/program` runs in the folder `sub`.
    let (dir, program) = match program.rsplit_once('/') {
        Some((sub, program)) => (dir.join(sub), program),
        None => (dir.to_owned(), program),
    };
    let mut entry = Entry {
        dir,
        program: program.into(),
        ranks: words.next().and_then(|ranks| ranks.parse().ok()).unwrap_or(RANKS),
        args: Vec::new(),
        env: Vec::new(),
        launcher_args: Vec::new(),
        limit: LIMIT,
        pass: Pass::NoErrors,
        memory: 0.0,
        skip: None,
    };
    for word in words {
        // The lists hold stray words; their own runner ignores them too.
        let Some((key, value)) = word.split_once('=') else { continue };
        let is = |wanted: &str| value.eq_ignore_ascii_case(wanted);
        match key {
            "arg" => entry.args.push(value.into()),
            "mpiexecarg" => entry.launcher_args.push(value.into()),
            "env" => entry.env.extend(value.split_once('=').map(|(name, value)| (name.into(), value.into()))),
            "timeLimit" => entry.limit = value.parse().unwrap_or(LIMIT),
            "mem" => entry.memory = value.parse().unwrap_or(0.0),
            "resultTest" if is("TestStatusNoErrors") => entry.pass = Pass::FailureNoErrors,
            "resultTest" => entry.pass = Pass::Failure,
            "strict" if is("false") => entry.skip = Some("the suite leaves it out of a strict run"),
            "mpix" if is("true") => entry.skip = Some("tests extensions of MPICH"),
            // `xfail` marks what MPICH itself fails; a strict run expects it to pass. `lock` orders parallel runs.
            _ => {}
        }
    }
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> Entry {
        parse(line, Path::new("coll")).unwrap()
    }

    #[test]
    fn a_line_is_understood() {
        let got = entry("  bcast 4 arg=-counts=1,17 arg=-seed=100 env=A=b=c timeLimit=600 mem=1.4 xfail=ticket1 # why");
        assert_eq!((&*got.program, got.ranks, got.limit, got.memory), ("bcast", 4, 600, 1.4));
        assert_eq!(got.args, ["-counts=1,17", "-seed=100"]);
        assert_eq!(got.env, [("A".into(), "b=c".into())]);
        assert_eq!((got.pass, got.skip), (Pass::NoErrors, None));
        assert_eq!(got.name(Path::new("coll")), "bcast -n 4 -counts=1,17 -seed=100 A=b=c");
    }

    #[test]
    fn defaults_and_special_lines() {
        assert_eq!((entry("one").ranks, entry("one").limit), (2, 180));
        assert_eq!(entry("die 4 resultTest=TestStatus").pass, Pass::Failure);
        assert_eq!(entry("die 4 resultTest=TestStatusNoErrors").pass, Pass::FailureNoErrors);
        assert!(entry("old 2 strict=FALSE").skip.is_some());
        assert!(entry("old 2 strict=true").skip.is_none());
        assert_eq!(entry("sub/prog 1").dir, Path::new("coll/sub"));
        assert!(parse("# nothing", Path::new("x")).is_none() && parse("!util:libmtest.a", Path::new("x")).is_none());
    }

    #[test]
    fn directories_are_entered() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("sub")).unwrap();
        fs::write(root.path().join("testlist"), "a 1\nsub\nb 3\n").unwrap();
        fs::write(root.path().join("sub/testlist"), "c 2\n").unwrap();
        let names: Vec<_> = read(root.path()).unwrap().iter().map(|entry| entry.name(root.path())).collect();
        assert_eq!(names, ["a -n 1", "sub/c -n 2", "b -n 3"]);
    }
}
