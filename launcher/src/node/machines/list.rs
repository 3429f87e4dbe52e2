//! Lists of machines in the forms of other launchers.
//!
//! `--host` and each line of a hostfile name a machine: `NAME`, `NAME:SLOTS`, `[IPV6]:SLOTS`; Open MPI's `NAME slots=4 max_slots=8`; and
//! beyond those ranges (`n[1-4]:2`) and the labels of a machine file (`@LABEL`). Resource managers repeat a name once for each slot: slots
//! of the same name are added up.

use std::collections::{HashMap, HashSet};
use std::net::Ipv6Addr;
use std::ops::Range;

use super::fault::Fault;
use super::values::check_name;
use super::{Catalogue, Machine, range};
use crate::options::suggest::nearest;

/// One name of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub is_label: bool,
    pub slots: Option<u32>,
    pub max_slots: Option<u32>,
    pub user: Option<String>,
}

/// The machines that `NAME` or `NAME:SLOTS` stands for.
pub fn parse_host(text: &str) -> Result<Vec<Entry>, String> {
    let (names, slots) = split(text)?;
    let slots = slots.map(|slots| count(slots).map_err(|why| format!("{text:?}: {why}"))).transpose()?;
    let entry = |name: String, is_label| Entry { name, is_label, slots, max_slots: None, user: None };
    if let Some(label) = names.strip_prefix('@') {
        check_name(label)?;
        return Ok(vec![entry(label.into(), true)]);
    }
    let names = if names.parse::<Ipv6Addr>().is_ok() { vec![names.into()] } else { range::expand(names)? };
    names.iter().try_for_each(|name| check_name(name))?;
    Ok(names.into_iter().map(|name| entry(name, false)).collect())
}

/// A name, and what stands behind its colon. IPv6 addresses have colons of their own.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if text.is_empty() {
        return Err("expected the name of a machine, found nothing".into());
    }
    let is_ipv6 = |text: &str| text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    if is_ipv6(text) {
        return Ok((text, None));
    }
    if let Some((address, behind)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|(address, _)| is_ipv6(address)) {
        return match behind.strip_prefix(':') {
            Some(slots) => Ok((address, Some(slots))),
            None if behind.is_empty() => Ok((address, None)),
            None => Err(format!("{text:?}: expected a colon and a number of slots after the address, found {behind:?}")),
        };
    }
    match text.rsplit_once(':') {
        Some((name, _)) if name.contains(':') => Err(format!("{text:?}: expected NAME:SLOTS, or [ADDRESS]:SLOTS for an IPv6 address, found several colons")),
        Some((name, slots)) => Ok((name, Some(slots))),
        None => Ok((text, None)),
    }
}

fn count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0 && !text.starts_with('+'));
    number.ok_or_else(|| format!("expected a number of slots above 0, found {text:?}"))
}

/// The pieces of a line, each with its place in the file: words, and every `=` for itself. `#` begins a comment.
pub fn tokens(line: &str, start: usize) -> Vec<(Range<usize>, &str)> {
    let line = line.split('#').next().unwrap_or_default();
    let mut tokens = Vec::new();
    let mut word = None;
    for (at, letter) in line.char_indices().chain([(line.len(), ' ')]) {
        if letter.is_whitespace() || letter == '=' {
            tokens.extend(word.take().map(|from: usize| (start + from..start + at, &line[from..at])));
            if letter == '=' {
                tokens.push((start + at..start + at + 1, "="));
            }
        } else {
            word.get_or_insert(at);
        }
    }
    tokens
}

/// The lines of a text that say something, each in its pieces.
pub fn lines(text: &str) -> impl Iterator<Item = Vec<(Range<usize>, &str)>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let tokens = tokens(line, start);
        start += line.len();
        tokens
    });
    lines.filter(|tokens| !tokens.is_empty())
}

/// Reads a hostfile.
pub fn parse_list(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for line in lines(text) {
        let (at, name) = &line[0];
        let mut named = parse_host(name).map_err(|why| Fault::new(why, at.clone()))?;
        let mut rest = &line[1..];
        while let Some((at, key)) = rest.first() {
            let value = match rest.get(1..3) {
                Some([(_, "="), value]) if value.1 != "=" => value,
                _ => return Err(Fault::new(format!("expected slots=NUMBER, found {key:?}"), at.clone())),
            };
            let number = || count(value.1).map_err(|why| Fault::new(why, value.0.clone()));
            for entry in &mut named {
                match *key {
                    "slots" if entry.slots.is_some() => return Err(Fault::new("the slots are given twice", at.clone())),
                    "slots" => entry.slots = Some(number()?),
                    "max_slots" | "max-slots" => entry.max_slots = Some(number()?),
                    "user" => entry.user = Some(check_name(value.1).map(|()| value.1.into()).map_err(|why| Fault::new(why, value.0.clone()))?),
                    _ => {
                        let known = ["slots", "max_slots", "user"];
                        let hint = nearest(key, known.into_iter()).map_or_else(|| format!("expected one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
                        return Err(Fault::new(format!("unknown key {key}: {hint}"), at.clone()));
                    }
                }
            }
            rest = &rest[3..];
        }
        if let Some(entry) = named.first()
            && let (slots, Some(most)) = (entry.slots.unwrap_or(1), entry.max_slots)
            && slots > most
        {
            return Err(Fault::new(format!("expected slots of at most {most}, which is max_slots, found {slots}"), at.clone()));
        }
        entries.extend(named);
    }
    if entries.is_empty() {
        return Err(Fault::of_all("it names no machine: expected NAME or NAME:SLOTS on each line"));
    }
    Ok(entries)
}

/// The machines that a list means, by their index; their slots become those of the list. Names that the catalogue does not have become
/// machines of it.
pub fn pick(entries: &[Entry], catalogue: &mut Catalogue, own: &[String]) -> Result<Vec<usize>, String> {
    let (mut picks, mut picked) = (Vec::new(), HashSet::new());
    // Names go before addresses.
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, machine) in catalogue.machines.iter().enumerate() {
        known.insert(machine.name.clone(), index);
    }
    for (index, machine) in catalogue.machines.iter().enumerate() {
        known.entry(machine.address.clone()).or_insert(index);
    }
    for entry in entries {
        for index in meant(entry, &mut known, catalogue, own)? {
            let machine = &mut catalogue.machines[index];
            if !picked.insert(index) {
                machine.slots = machine.slots.saturating_add(entry.slots.unwrap_or(1));
                machine.max_slots = machine.max_slots.zip(entry.max_slots).map(|(one, other)| one.saturating_add(other));
            } else {
                machine.slots = entry.slots.unwrap_or(machine.slots);
                machine.max_slots = entry.max_slots.or(machine.max_slots);
                picks.push(index);
            }
        }
    }
    Ok(picks)
}

fn meant(entry: &Entry, known: &mut HashMap<String, usize>, catalogue: &mut Catalogue, own: &[String]) -> Result<Vec<usize>, String> {
    let machines = &mut catalogue.machines;
    if entry.is_label {
        let labelled: Vec<usize> = (0..machines.len()).filter(|index| machines[*index].labels.contains(&entry.name)).collect();
        if labelled.is_empty() {
            let mut labels: Vec<&str> = machines.iter().flat_map(|machine| &machine.labels).map(String::as_str).collect();
            labels.sort_unstable();
            labels.dedup();
            let there = if labels.is_empty() { "there are no labels".into() } else { format!("there are: {}", labels.join(", ")) };
            return Err(format!("no machine has the label {:?}; {there}", entry.name));
        }
        return Ok(labelled);
    }
    let index = *known.entry(entry.name.clone()).or_insert_with(|| {
        machines.push(Machine::named(&entry.name, own));
        machines.len() - 1
    });
    if let Some(user) = &entry.user {
        let host = machines[index].address.rsplit('@').next().unwrap_or_default();
        machines[index].address = format!("{user}@{host}");
    }
    Ok(vec![index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::machines::own_names;
    use proptest::prelude::*;
    use rstest::rstest;

    fn shown(entries: &[Entry]) -> String {
        let one = |entry: &Entry| {
            let number = |number: Option<u32>| number.map_or("-".into(), |number| number.to_string());
            format!("{}{} {}/{}", if entry.is_label { "@" } else { "" }, entry.name, number(entry.slots), number(entry.max_slots))
        };
        entries.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[rstest]
    #[case("a", "a -/-")]
    #[case("a:2", "a 2/-")]
    #[case("ann@a:2", "ann@a 2/-")]
    #[case("::1", "::1 -/-")]
    #[case("2001:db8::7", "2001:db8::7 -/-")]
    #[case("[2001:db8::7]:4", "2001:db8::7 4/-")]
    #[case("[::1]", "::1 -/-")]
    #[case("fe80::1%eth0", "fe80::1%eth0 -/-")]
    #[case("[fe80::1%eth0]:2", "fe80::1%eth0 2/-")]
    #[case("n[1-2]:3", "n1 3/-, n2 3/-")]
    #[case("[1-2]x", "1x -/-, 2x -/-")]
    #[case("@gpu:2", "@gpu 2/-")]
    fn names(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(&parse_host(text).unwrap()), expected);
    }

    #[rstest]
    #[case("# two\na slots=4\n\nb:2  # and three\r\nlocalhost\n", "a 4/-, b 2/-, localhost -/-")]
    #[case("a slots = 4 max_slots=8\nb max-slots= 2", "a 4/8, b -/2")]
    #[case("n[1-2] slots=2", "n1 2/-, n2 2/-")]
    fn lists(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(&parse_list(text).unwrap()), expected);
    }

    #[rstest]
    #[case("", "f: it names no machine: expected NAME or NAME:SLOTS on each line")]
    #[case("# none\n\n", "f: it names no machine: expected NAME or NAME:SLOTS on each line")]
    #[case("a slots=x", "f:1:9: expected a number of slots above 0, found \"x\"")]
    #[case("a\nb slots=0", "f:2:9: expected a number of slots above 0, found \"0\"")]
    #[case("a:0", "f:1:1: \"a:0\": expected a number of slots above 0, found \"0\"")]
    #[case("a slots", "f:1:3: expected slots=NUMBER, found \"slots\"")]
    #[case("a slots=", "f:1:3: expected slots=NUMBER, found \"slots\"")]
    #[case("a 4", "f:1:3: expected slots=NUMBER, found \"4\"")]
    #[case("a:2 slots=3", "f:1:5: the slots are given twice")]
    #[case("a slot=3", "f:1:3: unknown key slot: did you mean slots?")]
    #[case("a binding=user:0", "f:1:3: unknown key binding: expected one of slots, max_slots, user")]
    #[case("a slots=3 max_slots=2", "f:1:1: expected slots of at most 2, which is max_slots, found 3")]
    #[case("  -oProxyCommand=x", "f:1:3: expected a name, and none begins with \"-\", found \"-oProxyCommand\"")]
    #[case("a user=-x", "f:1:8: expected a name, and none begins with \"-\", found \"-x\"")]
    #[case("[::1]x", "f:1:1: \"[::1]x\": expected a colon and a number of slots after the address, found \"x\"")]
    #[case("[[machine]]", "f:1:1: \"[[machine]]\" has a [ without a ] after it")]
    fn what_is_wrong_is_said(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse_list(text).unwrap_err().show("f", text).lines().next().unwrap(), expected);
    }

    #[test]
    fn repeated_names_add_up() {
        let mut catalogue = Catalogue::default();
        let entries = parse_list("a\na\na\nb:2\na:2\nb user=ann\nhere\n").unwrap();
        let picks = pick(&entries, &mut catalogue, &own_names("here")).unwrap();
        let slots: Vec<_> = picks.iter().map(|index| &catalogue.machines[*index]).map(|one| (one.address.as_str(), one.slots, one.is_here())).collect();
        assert_eq!(slots, [("a", 5, false), ("ann@b", 3, false), ("here", 1, true)]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "([a-c0-9:=\\[\\]@# \n-]|slots=|max_slots=|::1){0,12}|(?s).{0,30}") {
            if let Err(fault) = parse_list(&text) {
                prop_assert!(fault.show("f", &text).starts_with("f:"));
            }
            if let Err(fault) = crate::node::placement::rankfile::parse(&text) {
                prop_assert!(fault.show("f", &text).starts_with("f:"));
            }
        }
    }
}
