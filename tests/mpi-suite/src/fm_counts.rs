//! Nothing bypasses Fast Messages: a number of MPI messages of each size class gives as many FM messages as the protocol
//! says, counted by the library itself (`HPVM_TRACE=fm`).
//!
//! Starting and ending a job sends messages too. They are taken away by a run that sends none.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::run::{self, Job};
use crate::Mpi;

const NUMBER: u64 = 500;
/// The most that one FM message carries of a body that is sent in pieces.
const PIECE_BYTES_MAX: u64 = 256 << 10;

/// What a size class costs in FM messages, per MPI message.
enum Protocol {
    /// One message that carries all.
    Eager,
    /// An announcement; then a clearance back and pieces of the body, or only the word that the receiver has fetched it.
    Rendezvous,
}

use Protocol::{Eager, Rendezvous};

/// Mode, bytes, and how such a message must travel. Sizes stay clear of the switch between the protocols.
const CLASSES: &[(&str, u64, Protocol)] = &[
    ("standard", 0, Eager),
    ("standard", 8, Eager),
    ("standard", 40, Eager),
    ("standard", 41, Eager),
    ("standard", 1000, Eager),
    ("standard", 4000, Eager),
    ("standard", 100_000, Rendezvous),
    ("standard", 1_000_000, Rendezvous),
    ("synchronous", 0, Rendezvous),
    ("synchronous", 8, Rendezvous),
];

/// Messages sent and received, by the handler's name.
type Counts = BTreeMap<String, (u64, u64)>;

/// Checks every class with `program`, the compiled fm/count.c. The names of the classes and why they are wrong.
pub fn wrong(mpi: &Mpi, program: &Path, work_dir: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let nothing = count(mpi, program, work_dir, "standard", 0, 0)?;
    for (mode, bytes, protocol) in CLASSES {
        let seen = count(mpi, program, work_dir, mode, NUMBER, *bytes)?;
        if let Err(why) = judge(protocol, *bytes, &nothing, &seen) {
            wrong.push(format!("{NUMBER} {mode} messages of {bytes} bytes: {why}"));
        }
    }
    Ok(wrong)
}

/// The classes by number, for counting what passed.
pub fn classes() -> usize {
    CLASSES.len()
}

fn judge(protocol: &Protocol, bytes: u64, nothing: &[Counts; 2], seen: &[Counts; 2]) -> Result<()> {
    // Sent by one rank and received by the other, more than without any message of ours.
    let moved = |from: usize, name: &str| -> Result<u64> {
        let of = |counts: &Counts, sent: bool| counts.get(name).map_or(0, |&(s, r)| if sent { s } else { r });
        let sent = of(&seen[from], true).saturating_sub(of(&nothing[from], true));
        let received = of(&seen[1 - from], false).saturating_sub(of(&nothing[1 - from], false));
        ensure!(sent == received, "rank {from} sent {sent} \"{name}\", rank {} received {received}", 1 - from);
        Ok(sent)
    };
    let exactly = |from, name, wanted| {
        let seen = moved(from, name)?;
        ensure!(seen == wanted, "{seen} \"{name}\" from rank {from}, expected {wanted}");
        Ok(())
    };
    match protocol {
        Eager => {
            // Beyond the receiver's budget for unexpected messages only the announcement goes: the sum is what binds.
            let eager = moved(0, "eager")?;
            let announced = moved(0, "ready_to_send")?;
            ensure!(eager + announced == NUMBER, "{eager} eager and {announced} announced messages");
            ensure!(eager > 0, "all were announced");
            exactly(1, "clear_to_send", announced)?;
            let data = moved(0, "data")?;
            ensure!(bytes == 0 || data >= announced, "{data} pieces for {announced} announced messages");
        }
        Rendezvous => {
            exactly(0, "eager", 0)?;
            exactly(0, "ready_to_send", NUMBER)?;
            let (cleared, fetched) = (moved(1, "clear_to_send")?, moved(1, "fetched")?);
            ensure!(cleared + fetched == NUMBER, "{cleared} cleared and {fetched} fetched messages");
            let least = cleared * bytes.div_ceil(PIECE_BYTES_MAX);
            let data = moved(0, "data")?;
            ensure!(data >= least, "{data} pieces, at least {least} are needed");
        }
    }
    Ok(())
}

fn count(mpi: &Mpi, program: &Path, work_dir: &Path, mode: &str, number: u64, bytes: u64) -> Result<[Counts; 2]> {
    let args = [mode.to_owned(), number.to_string(), bytes.to_string()];
    let job = Job {
        program,
        ranks: 2,
        args: &args,
        env: vec![("HPVM_TRACE".into(), "fm".into())],
        preload: None,
        limit: Duration::from_secs(60),
        dir: None,
        stdin: None,
    };
    let ended = run::launch(mpi, &job, &work_dir.join("fm_counts"))?;
    let ended_well = ended.status.is_some_and(|status| status.success());
    ensure!(ended_well, "{} {} did not end well:\n{}", program.display(), args.join(" "), ended.stderr);
    Ok([counts_of(&ended.stderr, 0)?, counts_of(&ended.stderr, 1)?])
}

/// Reads the line of one rank: `hpvm: rank 0 of 2 (…): fm messages sent/received: eager 3/4 data 0/0 …`.
fn counts_of(stderr: &str, rank: usize) -> Result<Counts> {
    let line = Regex::new(&format!(r"(?m)^hpvm: rank {rank} of .*: fm messages sent/received:(.*)$"))?;
    let found = line.captures(stderr).with_context(|| format!("rank {rank} reports no FM messages:\n{stderr}"))?;
    let entry = Regex::new(r"(\w+) (\d+)/(\d+)")?;
    let mut counts = Counts::new();
    for captures in entry.captures_iter(&found[1]) {
        counts.insert(captures[1].into(), (captures[2].parse()?, captures[3].parse()?));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(eager: (u64, u64), announced: (u64, u64), cleared: (u64, u64), data: (u64, u64)) -> Counts {
        let names = ["eager", "ready_to_send", "clear_to_send", "data"];
        names.into_iter().map(String::from).zip([eager, announced, cleared, data]).collect()
    }

    #[test]
    fn the_report_of_a_rank_is_read() {
        let text = "noise\nhpvm: rank 1 of 2 (pid 7, here): fm messages sent/received: eager 3/4 data 0/9\n";
        let counts = counts_of(text, 1).unwrap();
        assert_eq!(counts["eager"], (3, 4));
        assert_eq!(counts["data"], (0, 9));
        assert!(counts_of(text, 0).is_err());
    }

    #[test]
    fn a_message_that_went_elsewhere_is_noticed() {
        let none = (0, 0);
        let nothing = [counts((2, 2), none, none, none), counts((2, 2), none, none, none)];
        let all = [counts((502, 2), none, none, none), counts((2, 502), none, none, none)];
        assert!(judge(&Eager, 8, &nothing, &all).is_ok());
        let less = [counts((501, 2), none, none, none), counts((2, 501), none, none, none)];
        assert!(judge(&Eager, 8, &nothing, &less).is_err());
        assert!(judge(&Rendezvous, 100_000, &nothing, &all).is_err());
    }
}
