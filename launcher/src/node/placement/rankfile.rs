//! Rank files in Open MPI's form: where each rank goes, and which processors it may use there.
//!
//! ```text
//! rank 0=node1 slot=0-3
//! rank 1=node2 slot=0,2
//! rank 2=+n0              # the first machine of those listed; on any processor
//! ```

use std::collections::HashMap;

use crate::binding;
use crate::node::machines::fault::Fault;
use crate::node::machines::list::lines;

/// Where one rank goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub host: Host,
    /// Empty for any.
    pub cpus: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Named(String),
    /// Of those listed, from 0.
    Number(usize),
}

/// By rank.
pub fn parse(text: &str) -> Result<HashMap<u32, Seat>, Fault> {
    const FORM: &str = "expected rank NUMBER=HOST slot=PROCESSORS";
    let mut seats = HashMap::new();
    for line in lines(text) {
        let all = line[0].0.start..line[line.len() - 1].0.end;
        let words: Vec<&str> = line.iter().map(|(_, word)| *word).collect();
        let (number, host, list) = match words[..] {
            ["rank", number, "=", host] => (number, host, None),
            ["rank", number, "=", host, "slot" | "slots", "=", _] => (number, host, Some(&line[6])),
            ["rank", _, "=", _, "slot" | "slots", "=", _, ..] => return Err(Fault::new("expected processors without blanks between them, like 0-3,8", line[7].0.clone())),
            _ => return Err(Fault::new(format!("{FORM}, found {:?}", &text[all.clone()]), all)),
        };
        let at = line[1].0.clone();
        let rank: u32 = number.parse().map_err(|_| Fault::new(format!("expected the number of a rank, found {number:?}"), at.clone()))?;
        let cpus = list.map(|(at, list)| processors(list).map_err(|why| Fault::new(why, at.clone()))).transpose()?.unwrap_or_default();
        let host = match host.strip_prefix("+n").and_then(|number| number.parse().ok()) {
            Some(number) => Host::Number(number),
            None => Host::Named(host.into()),
        };
        if seats.insert(rank, Seat { host, cpus }).is_some() {
            return Err(Fault::new(format!("rank {rank} is there twice"), at));
        }
    }
    if seats.is_empty() {
        return Err(Fault::of_all(format!("it places no rank: {FORM} on each line")));
    }
    Ok(seats)
}

fn processors(list: &str) -> Result<Vec<u32>, String> {
    if list.contains(':') {
        return Err(format!("expected numbers of processors like 0-3,8, found {list:?}: SOCKET:CORE is not understood here, lscpu -e lists the processors of each core"));
    }
    binding::parse_cpus(list).ok_or_else(|| format!("expected numbers of processors like 0-3,8, found {list:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn seats() {
        let seats = parse("# three\nrank 0=a slot=0-2,5\n  rank 2 = +n1\nrank 1=b slots=3\n").unwrap();
        assert_eq!(seats[&0], Seat { host: Host::Named("a".into()), cpus: vec![0, 1, 2, 5] });
        assert_eq!(seats[&1], Seat { host: Host::Named("b".into()), cpus: vec![3] });
        assert_eq!(seats[&2], Seat { host: Host::Number(1), cpus: vec![] });
    }

    #[rstest]
    #[case("", "f: it places no rank: expected rank NUMBER=HOST slot=PROCESSORS on each line")]
    #[case("rank 0=a\nrank 0=b", "f:2:6: rank 0 is there twice")]
    #[case("rank a=b", "f:1:6: expected the number of a rank, found \"a\"")]
    #[case("rank -1=b", "f:1:6: expected the number of a rank, found \"-1\"")]
    #[case("0=b", "f:1:1: expected rank NUMBER=HOST slot=PROCESSORS, found \"0=b\"")]
    #[case("rank 0=b slot", "f:1:1: expected rank NUMBER=HOST slot=PROCESSORS, found \"rank 0=b slot\"")]
    #[case("rank 0=b slot=x", "f:1:15: expected numbers of processors like 0-3,8, found \"x\"")]
    #[case("rank 0=b slot=3-1", "f:1:15: expected numbers of processors like 0-3,8, found \"3-1\"")]
    #[case("rank 0=b slot=1, 2", "f:1:18: expected processors without blanks between them, like 0-3,8")]
    #[case("rank 0=b slot=1:0", "f:1:15: expected numbers of processors like 0-3,8, found \"1:0\": SOCKET:CORE is not understood here, lscpu -e lists the processors of each core")]
    fn what_is_wrong_is_said(#[case] text: &str, #[case] expected: &str) {
        let shown = parse(text).unwrap_err().show("f", text);
        assert_eq!(shown.lines().next().unwrap(), expected);
    }
}
