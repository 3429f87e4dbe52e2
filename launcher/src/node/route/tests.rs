use super::*;
use crate::node::machines::{file, own_names};
use rstest::rstest;
use std::path::Path;

/// As `--device` says it; nothing: it was not given.
fn devices(text: &str) -> Devices {
    let named = text.split_whitespace().map(|name| devices::find(name).unwrap()).collect();
    Devices { named, private: false }
}

/// Machines a and b on ib and eth, c on eth alone; d has said nothing.
fn sample() -> (Vec<Machine>, Vec<Network>) {
    let text = r#"
        network = [{ name = "ib", devices = ["myrinet", "ip"] }, { name = "eth" }, { name = "fast", devices = ["wan"] }]
        [[machine]]
        name = "[a-b]"
        "#
    .replace("[a-b]", "n[1-2]")
        + r#"networks = { ib = "10.1.0.[1-2]", eth = "10.2.0.[1-2]" }
        [[machine]]
        name = "c"
        networks = ["eth", "fast"]
        advertise = "10.2.0.3"
        [[machine]]
        name = "d"
        advertise = "2001:db8::4"
        [[machine]]
        name = "e"
        networks = ["fast"]
        "#;
    let catalogue = file::parse(&text, Path::new(""), &own_names("here")).unwrap();
    (catalogue.machines, catalogue.networks)
}

#[rstest]
#[case(0, 1, "", "ip over ib | smp: they share no memory | myrinet over ib: this version does not have it | ip over eth: ip over ib comes before it")]
#[case(0, 2, "", "ip over eth | smp: they share no memory | network ib: one of them is not attached to it | network fast: one of them is not attached to it")]
#[case(0, 3, "", "ip | smp: they share no memory")]
#[case(2, 4, "", "nothing | smp: they share no memory | network eth: one of them is not attached to it | wan over fast: this version does not have it | ip: no network that they share has it")]
#[case(3, 3, "smp", "nothing | smp: they share no memory | ip: --device does not name it")]
#[case(2, 2, "smp", "nothing | smp: they share no memory | ip over eth: --device does not name it | wan over fast: this version does not have it")]
fn ways(#[case] one: usize, #[case] other: usize, #[case] named: &str, #[case] expected: &str) {
    let (machines, networks) = sample();
    let route = between(&machines[one], &machines[other], &networks, &devices(named));
    let chosen = route.chosen(&networks);
    // Devices that nobody speaks of come and go with versions.
    let others = route.others.iter().map(String::as_str).filter(|line| line.contains(" over ") || ["smp", "ip:", "net"].contains(&&line[..3]));
    let all: Vec<&str> = [chosen.as_deref().unwrap_or("nothing")].into_iter().chain(others).collect();
    assert_eq!(all.join(" | "), expected);
}

#[test]
fn addresses_are_those_of_the_network_that_was_chosen() {
    let (machines, networks) = sample();
    let found = |from: usize, to: usize| address(&machines[from], &machines[to], &networks).map(|address| address.to_string());
    assert_eq!(found(0, 1).as_deref(), Some("10.1.0.2"));
    assert_eq!(found(2, 1).as_deref(), Some("10.2.0.2"), "c is not on ib");
    assert_eq!(found(1, 2).as_deref(), Some("10.2.0.3"), "c has one address for all");
    assert_eq!(found(3, 0), None, "what ssh reached");
    assert_eq!(found(0, 3).as_deref(), Some("2001:db8::4"));
    for (from, to) in (0..5).flat_map(|from| (0..5).map(move |to| (from, to))) {
        let route = between(&machines[from], &machines[to], &networks, &devices(""));
        let first = route.ways.first().and_then(|way| way.networks.first().copied());
        let chosen = first.and_then(|network| machines[to].networks.iter().find(|(index, _)| *index == network)?.1);
        assert_eq!(address(&machines[from], &machines[to], &networks), chosen.or(machines[to].advertise), "{from} {to}");
    }
}

#[test]
fn machines_that_cannot_reach_each_other_are_refused() {
    let (machines, networks) = sample();
    assert_eq!(check(&machines[..4], &networks, &devices("")), Ok(()));
    assert!(check(&machines, &networks, &devices("")).unwrap_err().starts_with("between n[1-2] and e no device can carry messages:\n    smp: "));
    assert_eq!(check(&machines[..1], &networks, &devices("smp")), Ok(()), "one alone needs none");
}

#[test]
fn pairs_that_are_alike_are_told_of_once() {
    let text = "[[network]]\nname = \"eth\"\n[[machine]]\nname = \"n[001-128]\"\nnetworks = [\"eth\"]\n[[machine]]\nname = \"login\"\n";
    let catalogue = file::parse(text, Path::new(""), &own_names("here")).unwrap();
    let told = explain(&catalogue.machines, &catalogue.networks, &devices(""), true);
    let heads: Vec<&str> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, ["between ranks of one machine: smp", "between any two of n[001-128]: ip over eth", "between n[001-128] and login: ip"]);
    let told = explain(&[], &[], &devices("ip"), true);
    assert_eq!(told, "between ranks of one machine: ip\n    not smp: --device does not name it\n");
}
