use super::*;
use crate::node::machines::own_names;
use proptest::prelude::*;
use rstest::rstest;

fn read(text: &str) -> Result<Catalogue, String> {
    parse(text, Path::new("/f"), &own_names("here.example")).map_err(|fault| fault.show("f", text))
}

#[test]
fn machines_and_their_defaults() {
    let catalogue = read(
        r#"
        [defaults]
        ssh-options = ["-F", "x"]
        slots = 2
        hpvmd = "bin/hpvmd"
        [[machine]]
        name = "n[01-02]"
        address = "192.0.2.[1-2]"
        advertise = "2001:db8::[1-2]"
        [[machine]]
        name = "here"
        slots = 3
        max-slots = 4
        hpvmd = "/opt/hpvmd"
        labels = ["fat"]
        [[machine]]
        name = "far"
        address = "ann@[1-1]far"
        ssh = "rsh"
        ssh-options = ["-p", "22"]
        "#
        .replace("[1-1]", "")
        .as_str(),
    )
    .unwrap();
    let [one, two, here, far] = &catalogue.machines[..] else { panic!("{catalogue:?}") };
    assert_eq!((one.name.as_str(), one.address.as_str(), one.slots), ("n01", "192.0.2.1", 2));
    assert_eq!((two.name.as_str(), two.address.as_str(), two.advertise), ("n02", "192.0.2.2", Some("2001:db8::2".parse().unwrap())));
    assert_eq!(one.ssh.join(" "), "ssh -F x -o BatchMode=yes -o ConnectTimeout=20");
    assert_eq!(one.hpvmd.as_deref(), Some(Path::new("/f/bin/hpvmd")));
    assert!(here.is_here() && here.labels == ["fat"]);
    assert_eq!((here.slots, here.max_slots, here.hpvmd.as_deref()), (3, Some(4), Some(Path::new("/opt/hpvmd"))));
    assert_eq!((far.address.as_str(), far.ssh.join(" ").as_str()), ("ann@far", "rsh -p 22 -F x"));
}

/// As `cargo xtask cluster up` writes it.
#[test]
fn ssh_may_stand_at_the_top() {
    let catalogue = read("ssh = [\"ssh\", \"-F\", \"/c/config\"]\n\n[[machine]]\nname = \"node1\"\nslots = 2\n").unwrap();
    assert_eq!(catalogue.machines[0].ssh, ["ssh", "-F", "/c/config"]);
}

#[test]
fn networks_and_sites() {
    let catalogue = read(
        r#"
        network = [{ name = "ib", devices = ["via", "ip"] }, { name = "eth" }]
        site = [{ name = "pisa", gateway = "b", address = "gate.example" }]
        [defaults]
        networks = ["eth"]
        site = "pisa"
        [[machine]]
        name = "a"
        networks = { eth = "10.2.0.1", ib = "10.1.0.1" }
        [[machine]]
        name = "b"
        "#,
    )
    .unwrap();
    assert_eq!(catalogue.networks[0].devices.iter().map(|device| device.name).collect::<Vec<_>>(), ["via", "ip"]);
    assert!(catalogue.networks[1].devices.is_empty(), "nothing is said of them");
    let ip = |text: &str| Some(text.parse().unwrap());
    assert_eq!(catalogue.machines[0].networks, [(0, ip("10.1.0.1")), (1, ip("10.2.0.1"))], "in the order of the networks");
    assert_eq!(catalogue.machines[1].networks, [(1, None)]);
    assert_eq!((catalogue.sites[0].gateway.as_deref(), catalogue.machines[1].site.as_deref()), (Some("b"), Some("pisa")));
}

/// What is wrong, in which line and column, and what was expected there. `M` is the head of a machine with a name.
#[rstest]
#[case("", "f: it names no machine: expected [[machine]] and below it name = \"…\"")]
#[case("# nothing\n", "f: it names no machine: expected [[machine]] and below it name = \"…\"")]
#[case("[[machine]]\nslots = 1", "f:1:1: expected a name below [[machine]]: name = \"…\"")]
#[case("[machine]\nname = \"a\"", "f:1:1: expected a list of tables, found one table: in two brackets it is one of several, [[machine]]")]
#[case("machine = 3", "f:1:11: expected a list of tables, found integer `3`")]
#[case("Mslots = 0", "f:3:9: expected a whole number above 0, found 0")]
#[case("Mslots = -1", "f:3:9: expected a whole number above 0, found -1")]
#[case("Mslots = \"four\"", "f:3:9: expected a whole number above 0, found \"four\"")]
#[case("Mslots = 2.5", "f:3:9: expected a whole number above 0, found 2.5")]
#[case("Mslots = 99999999999", "f:3:9: expected a whole number above 0, found 99999999999")]
#[case("Mslots = 4\nmax-slots = 2", "f:3:9: expected slots of at most 2, which is max-slots, found 4")]
#[case("Mslot = 1", "f:3:1: unknown key slot: did you mean slots?")]
#[case("Mhpvmb = 1", "f:3:1: unknown key hpvmb: did you mean hpvmd?")]
#[case("Mmax_slots = 1", "f:3:1: unknown key max_slots: did you mean max-slots?")]
#[case("Mcolour = 1", "f:3:1: unknown key colour: expected one of name, address, advertise, ssh, ssh-options, slots, max-slots, hpvmd, start, host-key, port, key, labels, networks, site")]
#[case("machines = []", "f:1:1: unknown key machines: did you mean machine?")]
#[case("M\n[[network]]\nname = \"a\"\ndevice = []", "f:6:1: unknown key device: did you mean devices?")]
#[case("Mslots = 1\nslots = 2", "f:4:1: duplicate key")]
#[case("M[[machine]]\nname = \"a\"", "f:4:8: the machine a is there twice")]
#[case("[[machine]]\nname = \"n[1-3]\"\n[[machine]]\nname = \"n2\"", "f:4:8: the machine n2 is there twice")]
#[case("[[machine]]\nname = \"\"", "f:2:8: expected a text in quotes, found \"\"")]
#[case("[[machine]]\nname = 7", "f:2:8: expected a text in quotes, found 7")]
#[case("[[machine]]\nname = \"-oProxyCommand=x\"", "f:2:8: expected a text that does not begin with a dash, found \"-oProxyCommand=x\"")]
#[case("[[machine]]\nname = \"a b\"", "f:2:8: expected a name of letters, digits and . _ - @ : %, found ' ' in \"a b\"")]
#[case("[[machine]]\nname = \"a", "f:2:10: invalid basic string, expected `\"`")]
#[case("[[machine]]\nname = a", "f:2:8: string values must be quoted, expected literal string")]
#[case("[[machine]\nname = \"a\"", "f:1:11: unclosed array table, expected `]`")]
#[case("[[machine]]\nname = \"n[3-1]\"", "f:2:8: \"n[3-1]\": the range 3-1 ends before it begins")]
#[case("[[machine]]\nname = \"n[1-3]\"\naddress = \"10.0.0.[1-2]\"", "f:3:11: expected as many addresses as names, which are 3, found 2")]
#[case("[[machine]]\nname = \"n[1-3]\"\naddress = \"10.0.0.1\"", "f:3:11: expected as many addresses as names, which are 3, found 1")]
#[case("Maddress = \"-l\"", "f:3:11: expected a text that does not begin with a dash, found \"-l\"")]
#[case("Maddress = \"ssh://a\"", "f:3:11: expected a name of letters, digits and . _ - @ : %, found '/' in \"ssh://a\"")]
#[case("Madvertise = \"node1-ib\"", "f:3:13: expected an IPv4 or IPv6 address, found \"node1-ib\"; a name may mean different addresses on different machines")]
#[case("Madvertise = \"10.0.0.1:22\"", "f:3:13: expected an address without a port, found \"10.0.0.1:22\": each rank has a port of its own")]
#[case("Madvertise = \"fe80::1%eth0\"", "f:3:13: expected an address that holds on every machine, found \"fe80::1%eth0\": after the % is a name of one machine's")]
#[case("Madvertise = \"0.0.0.0\"", "f:3:13: expected the address of one machine, found \"0.0.0.0\"")]
#[case("Mssh = []", "f:3:7: expected a command as a list of words, like [\"ssh\", \"-p\", \"2222\"], found a list")]
#[case("Mssh = \"ssh -p 22\"", "f:3:7: expected a command as a list of words, like [\"ssh\", \"-p\", \"2222\"], found \"ssh -p 22\"")]
#[case("Mssh-options = [1]", "f:3:15: expected a list of texts in quotes, found a list")]
#[case("Mlabels = \"gpu\"", "f:3:10: expected a list of texts in quotes, found \"gpu\"")]
#[case("Mlabels = [\"a,b\"]", "f:3:10: expected a name of letters, digits and . _ - @ : %, found ',' in \"a,b\"")]
#[case("Mnetworks = 3", "f:3:12: expected a list of networks, or a table like { ib = \"10.1.0.1\" }, found 3")]
#[case("Mnetworks = [\"ib\"]", "f:3:12: there is no network \"ib\": [[network]] tables would say which there are")]
#[case("Mnetworks = [\"ethernt\"]\n[[network]]\nname = \"ethernet\"", "f:3:12: there is no network \"ethernt\": did you mean \"ethernet\"?")]
#[case("Mnetworks = [\"ib\"]\n[[network]]\nname = \"eth[0-1]\"", "f:5:8: expected a name of letters, digits and . _ - @ : %, found '[' in \"eth[0-1]\"")]
#[case("Mnetworks = [\"x\", \"x\"]\n[[network]]\nname = \"x\"", "f:3:12: the network x is there twice")]
#[case("Mnetworks = { x = \"a\" }\n[[network]]\nname = \"x\"", "f:3:12: expected an IPv4 or IPv6 address, found \"a\"; a name may mean different addresses on different machines")]
#[case("M[[network]]\ndevices = [\"ip\"]", "f:3:1: expected name in this table, found none")]
#[case("M[[network]]\nname = \"x\"\n[[network]]\nname = \"x\"", "f:6:8: the network x is there twice")]
#[case("M[[network]]\nname = \"x\"\ndevices = []", "f:5:11: expected the devices of x, found none; possible: ip, servernet, via, myrinet, wan")]
#[case("M[[network]]\nname = \"x\"\ndevices = [\"smp\"]", "f:5:11: expected devices between machines, found \"smp\", which is the memory of one")]
#[case("M[[network]]\nname = \"x\"\ndevices = [\"myrinot\"]", "f:5:11: there is no device \"myrinot\": did you mean \"myrinet\"?")]
#[case("M[[network]]\nname = \"x\"\ndevices = [\"tcp\"]", "f:5:11: there is no device \"tcp\"; there are: ip,servernet,via,myrinet,wan")]
#[case("Mstart = \"daemon\"", "f:3:9: expected a host-key beside it, which hpvmd --system says when it starts, found none")]
#[case("Mstart = \"fast\"", "f:3:9: expected ssh, daemon or either, found \"fast\"")]
#[case("Mhost-key = \"12\"", "f:3:12: expected a key, which has 64 hexadecimal digits, found \"12\"")]
#[case("Mport = 70000", "f:3:8: expected a port of at most 65535, found 70000")]
#[case("Msite = \"pisa\"", "f:3:8: there is no site \"pisa\": [[site]] tables would say which there are")]
#[case("M[[site]]\nname = \"pisa\"\ngateway = \"b\"", "f:5:11: there is no machine \"b\"; there are: a")]
#[case("M[[site]]\nname = \"pisa\"\ngateway = \"a\"", "f:5:11: the gateway of pisa is one of its machines, and a has no site = \"pisa\"")]
#[case("[defaults]\nname = \"a\"", "f:2:8: name stands below [[machine]]: it is no machine's default")]
#[case("[defaults]\nslots = 0", "f:2:9: expected a whole number above 0, found 0")]
#[case("ssh = \"a\"\n[defaults]\nssh = \"b\"", "f:1:7: ssh is given here and in [defaults]: expected one of them")]
#[case("defaults = 3", "f:1:12: expected a table, found integer `3`")]
fn what_is_wrong_is_said(#[case] text: &str, #[case] expected: &str) {
    let text = text.replacen('M', "[[machine]]\nname = \"a\"\n", 1);
    let found = read(&text).unwrap_err();
    assert_eq!(found.lines().next().unwrap(), expected, "{found}");
}

#[test]
fn the_line_is_shown() {
    let found = read("[[machine]]\nname = \"a\"\nslots = \"four\"").unwrap_err();
    assert_eq!(found, "f:3:9: expected a whole number above 0, found \"four\"\n  3 | slots = \"four\"\n    |         ^");
}

#[test]
fn the_example_is_a_machine_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/machines.example.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&text).unwrap().machines.len(), 130);
    // Every key that there is, as an assignment.
    let keys = ["name", "address", "advertise", "ssh", "ssh-options", "slots", "max-slots", "hpvmd", "labels", "networks", "site", "devices", "gateway", "start", "host-key", "port", "key"];
    for key in keys {
        assert!(text.lines().any(|line| line.trim_start_matches(['#', ':', ' ']).starts_with(&format!("{key} ="))), "{key} is not shown");
    }
    // What is commented out is right, too.
    let uncommented: String = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    assert_ne!(uncommented, text);
    let catalogue = read(&uncommented).unwrap();
    assert_eq!((catalogue.networks.len(), catalogue.sites.len()), (2, 1));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "(\\[\\[machine\\]\\]\n|\\[defaults\\]\n|\\[\\[network\\]\\]\n|name = |slots = |ssh = |networks = |\"[a-c0-3\\[\\],-]{0,6}\"|\\[|\\]|\\{ a = |\\}|[0-9]{1,3}|\n){0,14}") {
        if let Err(text) = read(&text) {
            prop_assert!(text.starts_with("f:"), "{}", text);
        }
    }
}
