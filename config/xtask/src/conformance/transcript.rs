//! What Python's `unittest` says in its verbose form, on one rank.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

#[derive(Debug, Default, PartialEq)]
pub struct Transcript {
    /// Why each failed test failed; a test's name is `module.class.method`.
    pub failed: BTreeMap<String, String>,
    pub skipped: BTreeMap<String, String>,
    /// How many ran; `None` if the run did not get to its end.
    pub count: Option<usize>,
    /// The test begun last, and its module.
    pub current: Option<String>,
    pub module: Option<String>,
}

static BEGUN: LazyLock<Regex> = LazyLock::new(|| regex(r"^(\w+) \(([\w.]+)\)"));
static SKIPPED: LazyLock<Regex> = LazyLock::new(|| regex(r"\.\.\. skipped (.*)$"));
static FAILED: LazyLock<Regex> = LazyLock::new(|| regex(r"^(ERROR|FAIL): (\w+) \(([\w.]+)\)"));
static RAN: LazyLock<Regex> = LazyLock::new(|| regex(r"^Ran (\d+) tests? in "));

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("a constant")
}

impl Transcript {
    pub fn read(text: &str) -> Transcript {
        let mut to = Transcript::default();
        // A report of a failure ends at a line of `=` or `-`; its last words say why.
        let mut reported: Option<String> = None;
        let mut last_words = "";
        for line in text.lines() {
            if line.starts_with("======") || line.starts_with("------") && !last_words.is_empty() {
                if let Some(name) = reported.take() {
                    to.failed.insert(name, last_words.chars().take(200).collect());
                }
                continue;
            }
            if let Some(found) = FAILED.captures(line) {
                reported = Some(name(&found[2], &found[3]));
                last_words = "";
            } else if reported.is_some() {
                // The first such line stands between the name and the report.
                last_words = if line.is_empty() || line.starts_with("------") { last_words } else { line };
            } else if let Some(found) = RAN.captures(line) {
                to.count = found[1].parse().ok();
            } else if let Some(found) = BEGUN.captures(line) {
                let test = name(&found[1], &found[2]);
                if let Some(why) = SKIPPED.captures(line) {
                    to.skipped.insert(test.clone(), why[1].trim_matches(['\'', '"']).into());
                }
                to.module = test.split('.').next().map(str::to_owned);
                to.current = Some(test);
            }
        }
        to
    }
}

/// Newer Pythons put the method's name also into the parentheses.
fn name(method: &str, path: &str) -> String {
    if path.rsplit('.').next() == Some(method) { path.into() } else { format!("{path}.{method}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDED: &str = "\
[0@x] MPI 5.0
testA (test_a.One.testA) ... ok
testB (test_a.One) ... FAIL
testC (test_b.Two.testC) ... skipped 'no numpy'
testD (test_b.Two.testD) ...
  testD (test_b.Two.testD) (name='x') ... ERROR

======================================================================
ERROR: testD (test_b.Two.testD) (name='x')
----------------------------------------------------------------------
Traceback (most recent call last):
ValueError: one

======================================================================
FAIL: testB (test_a.One)
----------------------------------------------------------------------
Traceback (most recent call last):
AssertionError: 1 != 2

----------------------------------------------------------------------
Ran 4 tests in 1.5s

FAILED (failures=1, errors=1, skipped=1)
";

    #[test]
    fn a_whole_run() {
        let got = Transcript::read(ENDED);
        let pairs = |of: &[(&str, &str)]| of.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<BTreeMap<_, _>>();
        let failed = pairs(&[("test_a.One.testB", "AssertionError: 1 != 2"), ("test_b.Two.testD", "ValueError: one")]);
        assert_eq!(got.failed, failed);
        assert_eq!(got.skipped, pairs(&[("test_b.Two.testC", "no numpy")]));
        assert_eq!(got.count, Some(4));
    }

    #[test]
    fn a_run_that_hangs() {
        let got = Transcript::read("testA (test_a.One.testA) ... ok\ntestB (test_a.One.testB) ... ");
        assert_eq!((got.count, got.current.as_deref(), got.module.as_deref()), (None, Some("test_a.One.testB"), Some("test_a")));
    }
}
