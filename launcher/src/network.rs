//! The sockets at which the ranks of a node listen.
//!
//! They are made before the ranks, by whoever starts them: so a rank can be called from the moment it exists, and no rank has to tell the
//! others where it is.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use hpvm_wire::network::At;
use hpvm_wire::{Descriptor, Network};
use rustix::net::sockopt;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::keeper::NetSetup;
use crate::node::route;
use crate::plan::Plan;

/// The listening sockets of a node's ranks.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

/// What has to stay open while the job runs: its ranks may have to fetch it.
#[derive(Debug)]
pub struct Kept {
    _file: OwnedFd,
    listeners: Listeners,
}

impl Kept {
    /// The rank is gone. Who calls it now, or waits to be answered, is told so: our descriptor would keep the socket listening.
    pub fn rank_ended(&self, local_rank: u32) {
        if let Some(listener) = self.listeners.0.get(local_rank as usize) {
            let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
        }
    }
}

impl Listeners {
    /// So many sockets at `address`.
    pub fn new(address: IpAddr, ranks: usize) -> io::Result<Self> {
        (0..ranks).map(|_| TcpListener::bind((address, 0))).collect::<io::Result<_>>().map(Self)
    }

    /// By rank.
    pub fn ports(&self) -> io::Result<Vec<u16>> {
        self.0.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
    }

    /// What the ranks inherit, of a job whose network is `network`.
    pub fn setup(self, network: &Network) -> io::Result<(NetSetup, Kept)> {
        let file = network.create()?;
        let listeners = self.0.iter().map(Descriptor::of).collect::<io::Result<_>>()?;
        let setup = NetSetup { file: Descriptor::of(&file)?, listeners };
        Ok((setup, Kept { _file: file, listeners: self }))
    }
}

/// Has the kernel notice that the other side of a connection has vanished, where nothing else asks after it: within two minutes.
pub fn keep_alive(socket: &impl AsFd) -> io::Result<()> {
    sockopt::set_tcp_keepidle(socket, Duration::from_secs(60))?;
    sockopt::set_tcp_keepintvl(socket, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(socket, 6)?;
    Ok(sockopt::set_socket_keepalive(socket, true)?)
}

/// A job's key.
pub fn key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    let mut have = 0;
    while have < key.len() {
        have += getrandom(&mut key[have..], GetRandomFlags::empty())?;
    }
    Ok(key)
}

/// The ranks of a job that is on this machine alone and has to go through its network all the same.
pub fn of_one_machine(plan: &Plan) -> io::Result<(NetSetup, Kept)> {
    let local = IpAddr::from([127, 0, 0, 1]);
    let listeners = Listeners::new(local, plan.ranks.len())?;
    let here = route::inside(&plan.devices);
    let peers = listeners.ports()?.into_iter().map(|port| At { node: 0, address: SocketAddr::new(local, port), ways: here.clone() }).collect();
    let cards = route::need_cards(here.iter());
    listeners.setup(&Network { key: key()?, encrypt: plan.encrypt, shared_memory: false, cards, explain: plan.explain, here, peers })
}
