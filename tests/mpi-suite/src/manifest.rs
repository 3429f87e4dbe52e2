//! The manifest: one table per program, as described at the top of `manifest.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde::Deserialize;

/// The whole manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    #[serde(rename = "test", default)]
    pub tests: Vec<Test>,
}

/// One program with its arguments and what it has to show.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// `chapter/name`, unique.
    pub name: String,
    /// The source below `c/`; `<name>.c` when empty.
    #[serde(default)]
    pub program: String,
    #[serde(default = "c_only")]
    pub languages: Vec<Language>,
    #[serde(default = "two_ranks")]
    pub ranks: Vec<usize>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub flags: Vec<String>,
    #[serde(default = "half_a_minute")]
    pub limit: u64,
    #[serde(default)]
    pub preload: String,
    #[serde(default)]
    pub expect: Expect,
    #[serde(default)]
    pub xfail: String,
    #[serde(default)]
    pub sim: bool,
    #[serde(default)]
    pub abi: bool,
    #[serde(default)]
    pub heavy: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    C,
    Cxx,
}

/// What a run has to show. Nothing said: exit status 0 and "No Errors" on standard output.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub exit: Option<Exit>,
    pub stderr: Option<String>,
    pub stdout: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(untagged)]
pub enum Exit {
    Status(i32),
    Word(ExitWord),
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ExitWord {
    Nonzero,
}

fn c_only() -> Vec<Language> {
    vec![Language::C]
}

fn two_ranks() -> Vec<usize> {
    vec![2]
}

fn half_a_minute() -> u64 {
    30
}

impl Manifest {
    /// Reads and checks a manifest; every fault is reported with the test's name.
    pub fn load(path: &Path) -> Result<Manifest> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let mut manifest: Manifest = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let mut seen = BTreeSet::new();
        for test in &mut manifest.tests {
            if test.program.is_empty() {
                test.program = format!("{}.c", test.name);
            }
            test.check().with_context(|| format!("test {}", test.name))?;
            ensure!(seen.insert(test.name.clone()), "test {} is listed twice", test.name);
        }
        Ok(manifest)
    }
}

impl Test {
    /// The chapter, which is the report's directory.
    pub fn chapter(&self) -> &str {
        self.name.split_once('/').map_or("", |(chapter, _)| chapter)
    }

    fn check(&self) -> Result<()> {
        ensure!(self.name.contains('/'), "the name has no chapter");
        ensure!(!self.ranks.is_empty() && !self.ranks.contains(&0), "ranks must be a list of numbers above zero");
        ensure!(!self.languages.is_empty(), "no language");
        for pattern in [&self.expect.stderr, &self.expect.stdout].into_iter().flatten() {
            Regex::new(pattern).context("the expectation is no regular expression")?;
        }
        if self.sim && (!self.preload.is_empty() || self.expect.exit.is_some()) {
            bail!("a simulated program cannot be preloaded into, nor expect to die");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Test> {
        let mut manifest: Manifest = toml::from_str(text)?;
        let test = manifest.tests.remove(0);
        test.check()?;
        Ok(test)
    }

    #[test]
    fn defaults_are_two_ranks_of_c_that_pass() {
        let test = parse("[[test]]\nname = \"p2p/a\"\n").unwrap();
        assert_eq!(test.ranks, [2]);
        assert_eq!(test.languages, [Language::C]);
        assert_eq!(test.chapter(), "p2p");
        assert!(test.expect.exit.is_none());
    }

    #[test]
    fn exits_are_numbers_or_nonzero() {
        let with = |exit: &str| parse(&format!("[[test]]\nname = \"e/a\"\nexpect = {{ exit = {exit} }}\n"));
        assert_eq!(with("7").unwrap().expect.exit, Some(Exit::Status(7)));
        assert_eq!(with("\"nonzero\"").unwrap().expect.exit, Some(Exit::Word(ExitWord::Nonzero)));
        assert!(with("\"often\"").is_err());
    }

    #[test]
    fn mistakes_are_refused() {
        assert!(parse("[[test]]\nname = \"nochapter\"\n").is_err());
        assert!(parse("[[test]]\nname = \"p/a\"\nranks = [0]\n").is_err());
        assert!(parse("[[test]]\nname = \"p/a\"\nlimits = 3\n").is_err());
        assert!(parse("[[test]]\nname = \"p/a\"\nexpect = { stderr = \"(\" }\n").is_err());
    }

    #[test]
    fn the_real_manifest_names_existing_programs_and_misses_none() {
        let manifest = Manifest::load(&crate::home().join("manifest.toml")).unwrap();
        let c = crate::home().join("c");
        let mut named = BTreeSet::new();
        for test in &manifest.tests {
            for source in [&test.program, &test.preload].into_iter().filter(|s| !s.is_empty()) {
                assert!(c.join(source).is_file(), "{}: no {source}", test.name);
                named.insert(c.join(source));
            }
        }
        for chapter in std::fs::read_dir(&c).unwrap().flatten() {
            // Headers; a program that only the rounds of `kill` run, and end; one for the launchers' tests.
            if ["common", "kill", "system"].iter().any(|other| chapter.file_name() == *other) {
                continue;
            }
            for file in std::fs::read_dir(chapter.path()).unwrap().flatten() {
                if file.path().extension().is_some_and(|ext| ext == "c") {
                    assert!(named.contains(&file.path()), "{} is in no test", file.path().display());
                }
            }
        }
    }
}
