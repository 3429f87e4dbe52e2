use super::*;
use crate::node::machines::{file, own_names};
use rstest::rstest;
use std::path::Path;

const BOTH: Devices = Devices { smp: true, ip: true };

/// Machines a and b on ib and eth, c on eth alone; d has said nothing.
fn sample() -> (Vec<Machine>, Vec<Network>) {
    let text = r#"
        network = [{ name = "ib", devices = ["via", "ip"] }, { name = "eth" }, { name = "fast", devices = ["myrinet"] }]
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
#[case(0, 1, BOTH, "ip over ib | smp: they share no memory | via over ib: this version does not have it | ip over eth: ip over ib comes before it | myrinet, servernet, wan: this version does not have them")]
#[case(0, 2, BOTH, "ip over eth | smp: they share no memory | network ib: one of them is not attached to it | network fast: one of them is not attached to it | myrinet, via, servernet, wan: this version does not have them")]
#[case(0, 3, BOTH, "ip | smp: they share no memory | myrinet, via, servernet, wan: this version does not have them")]
#[case(2, 4, BOTH, "nothing | smp: they share no memory | network eth: one of them is not attached to it | myrinet over fast: this version does not have it | via, servernet, wan: this version does not have them")]
#[case(3, 3, Devices { smp: true, ip: false }, "nothing | smp: they share no memory | ip: --device does not name it | myrinet, via, servernet, wan: this version does not have them")]
#[case(2, 2, Devices { smp: true, ip: false }, "nothing | smp: they share no memory | ip over eth: --device does not name it | myrinet over fast: this version does not have it | via, servernet, wan: this version does not have them")]
fn ways(#[case] one: usize, #[case] other: usize, #[case] devices: Devices, #[case] expected: &str) {
    let (machines, networks) = sample();
    let route = between(&machines[one], &machines[other], &networks, devices);
    let all: Vec<&str> = [route.way.as_deref().unwrap_or("nothing")].into_iter().chain(route.others.iter().map(String::as_str)).collect();
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
        let route = between(&machines[from], &machines[to], &networks, BOTH);
        let chosen = route.network.and_then(|network| machines[to].networks.iter().find(|(index, _)| *index == network)?.1);
        assert_eq!(address(&machines[from], &machines[to], &networks), chosen.or(machines[to].advertise), "{from} {to}");
    }
}

#[test]
fn machines_that_cannot_reach_each_other_are_refused() {
    let (machines, networks) = sample();
    assert_eq!(check(&machines[..4], &networks, BOTH), Ok(()));
    assert!(check(&machines, &networks, BOTH).unwrap_err().starts_with("between n[1-2] and e no device can carry messages:\n    smp: "));
    assert_eq!(check(&machines[..1], &networks, Devices { smp: true, ip: false }), Ok(()), "one alone needs none");
}

#[test]
fn pairs_that_are_alike_are_told_of_once() {
    let text = "[[network]]\nname = \"eth\"\n[[machine]]\nname = \"n[001-128]\"\nnetworks = [\"eth\"]\n[[machine]]\nname = \"login\"\n";
    let catalogue = file::parse(text, Path::new(""), &own_names("here")).unwrap();
    let told = explain(&catalogue.machines, &catalogue.networks, BOTH, true);
    let heads: Vec<&str> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, ["between ranks of one machine: smp", "between any two of n[001-128]: ip over eth", "between n[001-128] and login: ip"]);
    let told = explain(&[], &[], Devices { smp: false, ip: true }, true);
    assert_eq!(told, "between ranks of one machine: ip\n    not smp: --device does not name it\n");
}
