//! What a machine's facts mean: how they read, and what is to be mended.

use std::collections::HashMap;
use std::time::Duration;

/// Fewer open files hold up jobs of some size: each rank takes a few of `hpvmd`'s.
const FILES_MIN: u64 = 1024;
const PROCESSES_MIN: u64 = 256;
/// In KiB. A rank with its rings takes some MiB.
const FREE_MIN: u64 = 256 << 10;
/// Clocks are for people: times of output and events would not fit together.
const CLOCK_MAX: f64 = 1.0;

/// A machine's facts, as the probe tells them.
pub struct Facts(HashMap<String, String>);

impl Facts {
    pub fn parse(line: &str) -> Self {
        let facts = line.split('\t').filter_map(|fact| fact.split_once('='));
        Self(facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).parse().ok()
    }

    /// In one line.
    pub fn summary(&self, took: Duration, ahead: f64) -> String {
        let gib = |name: &str| self.number(name).unwrap_or(0) as f64 / f64::from(1 << 20);
        let clock = if ahead < 0.0 { "behind" } else { "ahead" };
        format!(
            "reached in {:.0} ms; {} processors, {:.1} of {:.1} GiB of memory free, {} open files; clock {:.3} s {clock}",
            took.as_secs_f64() * 1e3,
            self.get("processors"),
            gib("free"),
            gib("memory"),
            self.get("files"),
            ahead.abs(),
        )
    }

    /// What should be otherwise, and how to make it so.
    pub fn mend(&self, ahead: f64) -> Vec<String> {
        let mut mend = Vec::new();
        if ahead.abs() > CLOCK_MAX {
            mend.push(format!("the clock differs by {:.1} s from this machine's: let both follow NTP (timedatectl set-ntp true)", ahead.abs()));
        }
        if let Some(free) = self.number("free").filter(|free| *free < FREE_MIN) {
            mend.push(format!("only {} MiB of memory are free: end what uses it, or give the machine fewer slots", free >> 10));
        }
        let least = |name, least| self.number(name).filter(|limit| *limit < least);
        if let Some(files) = least("files", FILES_MIN) {
            mend.push(format!("a process may open only {files} files: raise nofile in /etc/security/limits.conf to {FILES_MIN} or more"));
        }
        if let Some(processes) = least("processes", PROCESSES_MIN) {
            mend.push(format!("the user may have only {processes} processes: raise nproc in /etc/security/limits.conf"));
        }
        if let Some(space) = self.number("address-space") {
            mend.push(format!("a process may map only {} MiB: take the limit away (ulimit -v unlimited)", space >> 20));
        }
        match self.get("reading") {
            "yes" | "" => (),
            why => {
                let scope = match self.get("ptrace-scope") {
                    scope @ ("1" | "2" | "3") => format!(": kernel.yama.ptrace_scope is {scope}, sysctl -w kernel.yama.ptrace_scope=0 allows it"),
                    _ => ": in a container, allow process_vm_readv".into(),
                };
                mend.push(format!("processes cannot read each other's memory ({why}), long messages are copied twice{scope}"));
            }
        }
        mend
    }
}

/// `12.3 us` and `1.20 GB/s` of a probe's `ok NANOSECONDS BYTES`.
pub fn call(answer: &str) -> Option<String> {
    let (nanoseconds, bytes) = answer.strip_prefix("ok ")?.split_once(' ')?;
    let (latency, bandwidth): (f64, f64) = (nanoseconds.parse().ok()?, bytes.parse().ok()?);
    Some(format!("{:.1} us, {:.2} GB/s", latency / 1e3, bandwidth / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const FINE: &str = "host=n1\tprocessors=4\tmemory=8388608\tfree=4194304\tfiles=1048576\tprocesses=unlimited\taddress-space=unlimited\treading=yes\tptrace-scope=0";

    #[test]
    fn a_machine_in_order() {
        let facts = Facts::parse(FINE);
        assert_eq!(facts.mend(0.2), Vec::<String>::new());
        let text = "reached in 12 ms; 4 processors, 4.0 of 8.0 GiB of memory free, 1048576 open files; clock 0.200 s behind";
        assert_eq!(facts.summary(Duration::from_millis(12), -0.2), text);
    }

    #[rstest]
    #[case("free=4194304", "free=1024", 0.0, "only 1 MiB of memory are free")]
    #[case("files=1048576", "files=256", 0.0, "only 256 files")]
    #[case("processes=unlimited", "processes=100", 0.0, "only 100 processes")]
    #[case("address-space=unlimited", "address-space=1048576", 0.0, "only 1 MiB: take the limit away")]
    #[case("reading=yes\tptrace-scope=0", "reading=Operation not permitted\tptrace-scope=1", 0.0, "kernel.yama.ptrace_scope is 1")]
    #[case("reading=yes", "reading=Operation not permitted", 0.0, "in a container")]
    #[case("", "", -5.0, "the clock differs by 5.0 s")]
    fn what_is_to_be_mended(#[case] fine: &str, #[case] wrong: &str, #[case] ahead: f64, #[case] expected: &str) {
        let mend = Facts::parse(&FINE.replacen(fine, wrong, 1)).mend(ahead);
        assert!(mend.len() == 1 && mend[0].contains(expected), "{mend:?}");
    }

    #[test]
    fn answers_of_calls() {
        assert_eq!(call("ok 12345 1200000000").as_deref(), Some("12.3 us, 1.20 GB/s"));
        assert_eq!((call("ok 1"), call("error x"), call("ok a b")), (None, None, None));
    }
}
