//! `--gdb RANKS`: these ranks wait for a debugger before their program begins.
//!
//! In the place of the program stands a shell that stops itself, and becomes the program when a debugger lets it go on. That takes nothing
//! but a shell, on whichever machine the rank is; the debugger may run in any terminal, and follows the shell into the program by
//! itself. A rank that is stopped ends no job, however long it takes ([`crate::job::judge`]).

use std::ffi::{CString, OsStr};
use std::ops::RangeInclusive;

use crate::keeper::relay::call;
use crate::node::machines::Machine;
use crate::plan::PartPlan;

/// Which ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranks {
    All,
    These(Vec<RangeInclusive<u32>>),
}

impl Ranks {
    /// `all`, or `0,2,4-7`.
    pub fn parse(value: &OsStr) -> Result<Self, String> {
        let text = value.to_str().unwrap_or_default();
        if text == "all" {
            return Ok(Self::All);
        }
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
        let range = |item: &str| {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            Some(number(first)?..=number(last)?).filter(|range| !range.is_empty())
        };
        let ranges = text.split(',').map(range).collect::<Option<Vec<_>>>();
        ranges.map(Self::These).ok_or_else(|| format!("{value:?} names no ranks: expected all, or numbers and ranges like 0,2,4-7"))
    }

    pub fn contains(&self, rank: u32) -> bool {
        match self {
            Self::All => true,
            Self::These(ranges) => ranges.iter().any(|range| range.contains(&rank)),
        }
    }

    /// That there are such ranks in a job of so many.
    pub fn check(&self, size: u32) -> Result<(), String> {
        match self {
            Self::These(ranges) => match ranges.iter().map(|range| *range.end()).find(|last| *last >= size) {
                Some(rank) => Err(format!("--gdb: there is no rank {rank} in a job of {size}")),
                None => Ok(()),
            },
            Self::All => Ok(()),
        }
    }
}

/// The shell ends in the program: the process is the same, and so is its number.
const WAIT: &std::ffi::CStr = c"kill -STOP $$; exec \"$0\" \"$@\"";

/// The same program, which begins when somebody lets it.
pub fn waiting(part: &PartPlan) -> PartPlan {
    let own: [CString; 3] = [c"sh".into(), c"-c".into(), WAIT.into()];
    let arguments = part.arguments.iter().skip(1).cloned();
    PartPlan {
        path: c"/bin/sh".into(),
        arguments: own.into_iter().chain([part.path.clone()]).chain(arguments).collect(),
        ..part.clone()
    }
}

/// What to type, to have the rank that is process `pid` under gdb at the beginning of `main`. `machine` is where it runs, if not here.
pub fn command(pid: u32, machine: Option<&Machine>) -> String {
    let gdb = format!("gdb -p {pid} -ex 'handle SIGSTOP nostop noprint nopass' -ex 'set breakpoint pending on' -ex 'break main' -ex continue");
    match machine.filter(|machine| !machine.is_here()) {
        Some(machine) => format!("{} -t \"{gdb}\"", call::shown(machine)),
        None => gdb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("all", &[0, 7])]
    #[case("0", &[0])]
    #[case("0,2-3,7-7", &[0, 2, 3, 7])]
    fn ranks_are_read(#[case] text: &str, #[case] members: &[u32]) {
        let ranks = Ranks::parse(text.as_ref()).unwrap();
        assert!(members.iter().all(|rank| ranks.contains(*rank)));
        assert_eq!(ranks.contains(5), text == "all");
        assert!(ranks.check(8).is_ok());
        assert_eq!(ranks.check(1).is_ok(), text == "all" || text == "0");
    }

    #[rstest]
    fn what_names_no_ranks_is_refused(#[values("", "x", "1,", "3-1", "-1", "+1", "1-2-3", "5000000000")] text: &str) {
        assert!(Ranks::parse(text.as_ref()).unwrap_err().contains("names no ranks"), "{text}");
    }
}
