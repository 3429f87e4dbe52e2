use super::*;
use hpvm_wire::network::At;

/// A device that suits who says the same.
struct Same(&'static str);

impl Candidate for Same {
    fn card(&self) -> String {
        self.0.into()
    }

    fn suits(&self, peer: &Contact) -> std::result::Result<(), String> {
        if peer.card == self.0 { Ok(()) } else { Err(format!("{} is not {}", peer.card, self.0)) }
    }

    fn join(self: Box<Self>, _: Vec<Option<Contact>>) -> Result<Arc<dyn Wired>> {
        bail!(OTHER, "no test joins it")
    }
}

fn ways(text: &str) -> Vec<Way> {
    text.split_whitespace().map(|device| Way { device: device.into(), addresses: Vec::new() }).collect()
}

/// Ranks on nodes of their own, as rank 0 sees them.
fn network(of_peers: &[&str]) -> Network {
    let at = |(node, text): (u32, &&str)| At { node, address: "192.0.2.1:1".parse().unwrap(), ways: ways(text) };
    let peers = (0..).zip(of_peers).map(at).collect();
    Network { key: [1; 32], encrypt: false, shared_memory: true, cards: true, explain: true, here: Vec::new(), peers }
}

fn tried(servernet: std::result::Result<&'static str, &str>) -> Vec<Tried> {
    let outcome = servernet.map(|card| Box::new(Same(card)) as Box<dyn Candidate>).map_err(String::from);
    vec![Tried { name: "servernet", outcome }]
}

#[test]
fn the_first_way_that_works_on_both_sides_is_taken() {
    let network = network(&["", "servernet ip", "servernet ip", "via servernet ip", "ip servernet", "servernet ip"]);
    let far = [false, true, true, true, true, false];
    let ours = tried(Ok("a"));
    let mut cards: Vec<Card> = [Ok("a"), Ok("a"), Ok("b"), Err("has no network"), Ok("b"), Ok("a")].map(|said| card("n", &tried(said))).into();
    (0..).zip(&mut cards).for_each(|(at, card): (u32, _)| card.host = format!("n{at}"));
    let found = choose(&network, &far, &ours, &cards).unwrap();
    let names: Vec<_> = found.iter().map(|choice| choice.as_ref().map_or("", |choice| &choice.way.device)).collect();
    assert_eq!(names, ["", "servernet", "ip", "ip", "ip", ""]);
    let lines = surprises(&network, &found, &cards, Peer(0));
    let third = "between n0 and n3: ip\n    not via: this version does not have it\n    not servernet: there has no network";
    assert_eq!(lines, ["between n0 and n2: ip\n    not servernet: b is not a", third]);
    assert!(surprises(&network, &found, &cards, Peer(3)).is_empty(), "that is for lower ranks to say");

    let broken = choose(&network, &far, &tried(Err("has no network")), &cards).unwrap();
    assert!(broken.iter().flatten().all(|choice| choice.way.device == "ip"), "both sides take the same");
}

#[test]
fn a_peer_without_a_way_is_named() {
    let network = network(&["", "servernet"]);
    let card = card("far", &tried(Ok("b")));
    let error = choose(&network, &[false, true], &tried(Ok("a")), &[card.clone(), card]).unwrap_err();
    assert!(error.to_string().contains("no device carries messages to rank 1 on far: servernet: b is not a"), "{error}");
}

#[test]
fn only_what_may_be_needed_is_tried() {
    let table = [Row { name: "servernet", open: |setting| Err(format!("sees {:?}", setting.addresses)) }, Row { name: "via", open: |_| panic!("nobody asks for it") }];
    let host = Arc::new(Machine::new(Arc::new(crate::line::Line::own()), None, 0));
    let mut network = network(&["", "servernet ip", "via"]);
    network.here = vec![Way { device: "servernet".into(), addresses: vec!["192.0.2.9".parse().unwrap()] }];
    let setting = Setting { me: Peer(0), network: &network, addresses: &[], threading: fm::Threading::Single, host: &host, look_every: 1 };
    let tried = try_all(&table, &[false, true, false], &setting);
    assert_eq!(tried.len(), 1);
    assert_eq!(tried[0].outcome.as_ref().err().unwrap(), "sees [192.0.2.9]");
    let known: Vec<_> = devices::DEVICES.iter().filter(|device| device.built && device.cards).map(|device| device.name).collect();
    assert_eq!(known, TABLE.iter().map(|row| row.name).collect::<Vec<_>>(), "launcher and library have the same devices");
}
