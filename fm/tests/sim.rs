//! The conformance tests over the simulated network.

use fm::conformance::{Fixture, Program, Step};
use fm::sim::{Network, Plan};
use fm::{Fm, Peer, Threading};

struct Simulated(Plan);

/// Virtual time that a turn of every node takes.
const TURN_NS: u64 = 50;

impl Fixture for Simulated {
    fn run(&self, mut programs: Vec<Box<dyn Program>>) {
        let nodes = programs.len() as u32;
        let network = Network::new(7, nodes, self.0.clone());
        let endpoint = |me| Fm::new(Peer(me), nodes, vec![network.device(Peer(me))], |_| 0, Threading::Single, false);
        let endpoints: Vec<Fm> = (0..nodes).map(endpoint).collect();
        let mut running: Vec<usize> = (0..programs.len()).collect();
        while !running.is_empty() {
            let mut moved = false;
            running.retain(|&node| {
                let step = programs[node].step(&endpoints[node]);
                moved |= step != Step::Idle;
                step != Step::Done
            });
            network.tick(TURN_NS);
            let ready = || running.iter().any(|&node| endpoints[node].arrived());
            assert!(moved || ready() || network.advance(), "nodes {running:?} wait and nothing is on its way");
        }
    }
}

fm::conformance_tests!(roomy, Simulated(Plan::default()));
fm::conformance_tests!(tiny_packets, Simulated(Plan { max_packet: 128, slots: 3, ..Plan::default() }));
fm::conformance_tests!(credits, Simulated(Plan { max_packet: 512, credits: Some(16), ..Plan::default() }));
fm::conformance_tests!(starved_credits, Simulated(Plan { max_packet: 256, credits: Some(1), ..Plan::default() }));
fm::conformance_tests!(two_credits, Simulated(Plan { max_packet: 256, credits: Some(2), ..Plan::default() }));
