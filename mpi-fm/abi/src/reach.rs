//! How a rank reaches the others: its devices, which of them leads to whom, and the way of waiting that goes with them.
//!
//! Ranks of the same node reach each other through its memory, the others through the network. A node is what the launcher
//! calls one, or what ranks of another launcher have found out ([`foreign`](crate::foreign)): both are [`Means`].

use crate::foreign::Met;
use crate::host::Machine;
use fm::{Device, Park, Peer, Threading};
use hpvm_ip::{Ip, Key};
use hpvm_smp::Smp;
use hpvm_wire::network::At;
use hpvm_wire::{Network, Place, StartUp};
use mpi_fm::host::Host;
use mpi_fm::{Result, bail};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

pub struct Reach {
    pub devices: Vec<Arc<dyn Device>>,
    /// By peer: its device's index.
    pub route: Box<[u8]>,
    pub park: Arc<dyn Park>,
}

/// What a rank has been given to reach the others with.
pub trait Means {
    fn place(&self) -> Place;

    /// Where the others are; `None` when all are on this node.
    fn network(&self) -> Result<Option<Network>>;

    /// The node's memory. Once.
    fn memory(&self) -> Result<OwnedFd>;

    /// This rank's listening socket. Once.
    fn listener(&self) -> Result<OwnedFd>;
}

/// `hpvmrun` hands it down.
impl Means for StartUp {
    fn place(&self) -> Place {
        self.place
    }

    fn network(&self) -> Result<Option<Network>> {
        let Some(net) = &self.net else { return Ok(None) };
        let network = net.file.open(self.launcher_pid).and_then(Network::read);
        network.map(Some).or_else(|error| bail!(OTHER, "no description of the network from hpvmrun: {error}"))
    }

    fn memory(&self) -> Result<OwnedFd> {
        self.mem.open(self.launcher_pid).or_else(|error| bail!(OTHER, "no shared memory from hpvmrun: {error}"))
    }

    fn listener(&self) -> Result<OwnedFd> {
        let Some(net) = &self.net else { bail!(OTHER, "no socket to listen at from hpvmrun") };
        net.listener.open_socket(self.launcher_pid).or_else(|error| bail!(OTHER, "no socket to listen at from hpvmrun: {error}"))
    }
}

/// The ranks have made it themselves.
impl Means for Met {
    fn place(&self) -> Place {
        self.place
    }

    fn network(&self) -> Result<Option<Network>> {
        Ok(Some(self.network.clone()))
    }

    fn memory(&self) -> Result<OwnedFd> {
        Met::memory(self)
    }

    fn listener(&self) -> Result<OwnedFd> {
        Met::listener(self)
    }
}

/// Polls of the network are rarer beside shared memory: each is a system call.
const LOOK_EVERY: u32 = 8;

impl Reach {
    /// The devices of a rank that is not alone.
    ///
    /// # Errors
    /// `MPI_ERR_OTHER` when what the launcher has prepared cannot be used.
    pub fn of(means: &dyn Means, threading: Threading, host: &Arc<Machine>) -> Result<Reach> {
        let place = means.place();
        let size = place.size as usize;
        let Some(network) = network(means)? else {
            if place.local_size as usize != size {
                bail!(OTHER, "hpvmrun did not say where the ranks of other nodes are");
            }
            return Reach::of_one_node(means, threading);
        };

        let near = |at: &At| network.shared_memory && at.node == place.node;
        let peers: Vec<Peer> = (0..).map(Peer).zip(&network.peers).filter(|(_, at)| near(at)).map(|(peer, _)| peer).collect();
        if peers.len() == size {
            return Reach::of_one_node(means, threading);
        }
        if peers.len() < 2 {
            let ip = Arc::new(internet(means, &network, host, 1)?);
            let park = ip.park(place.local_size as usize, hpvm_smp::cores_available());
            let park = Arc::new(park.or_else(|error| bail!(OTHER, "no way to wait for messages: {error}"))?);
            return Ok(Reach { devices: vec![ip], route: vec![0; size].into(), park });
        }
        let route = network.peers.iter().map(|at| u8::from(!near(at))).collect();
        let smp = shared_memory(means, peers, threading)?;
        let ip = Arc::new(internet(means, &network, host, LOOK_EVERY)?);
        let sockets = Arc::clone(&ip);
        let park = smp.park_beside(hpvm_smp::cores_limit(), Box::new(move |doorbell, limit| sockets.sleep(doorbell, limit)));
        let park = Arc::new(park.or_else(|error| bail!(OTHER, "no socket to be woken at: {error}"))?);
        Ok(Reach { devices: vec![Arc::new(smp), ip], route, park })
    }

    fn of_one_node(means: &dyn Means, threading: Threading) -> Result<Reach> {
        let size = means.place().size;
        let smp = shared_memory(means, (0..size).map(Peer).collect(), threading)?;
        let park = Arc::new(smp.park(hpvm_smp::cores_limit()));
        Ok(Reach { devices: vec![Arc::new(smp)], route: vec![0; size as usize].into(), park })
    }
}

/// What is said of all ranks.
fn network(means: &dyn Means) -> Result<Option<Network>> {
    let Some(network) = means.network()? else { return Ok(None) };
    let (size, place) = (network.peers.len(), means.place());
    if size != place.size as usize || network.peers[place.rank as usize].node != place.node {
        bail!(OTHER, "hpvmrun describes a network of {size} ranks which is not that of rank {} of {}", place.rank, place.size);
    }
    Ok(Some(network))
}

/// The device to `peers`, those of this node in the order of their local ranks.
fn shared_memory(means: &dyn Means, peers: Vec<Peer>, threading: Threading) -> Result<Smp> {
    let memory = means.memory()?;
    Smp::attach(memory.as_fd(), means.place().local_rank, &peers, threading)
        .or_else(|error| bail!(OTHER, "shared memory cannot be used: {error}"))
}

/// The device to everybody.
fn internet(means: &dyn Means, network: &Network, host: &Arc<Machine>, look_every: u32) -> Result<Ip> {
    let listener = means.listener()?;
    let me = Peer(means.place().rank);
    let addresses: Box<[_]> = network.peers.iter().map(|at| at.address).collect();
    let (said, out) = (addresses.clone(), Arc::clone(host));
    let tell = move |peer: Peer, what: &str| {
        eprintln!("hpvm: rank {}: rank {} at {} cannot be reached: {what}", me.0, peer.0, said[peer.index()]);
        out.abort(1)
    };
    let network = hpvm_ip::Network {
        me,
        key: Key(network.key),
        encrypt: network.encrypt,
        addresses,
        listener: TcpListener::from(listener),
        look_every,
        tell: Box::new(tell),
        log: Box::new(move |what| eprintln!("hpvm: rank {}: {what}", me.0)),
    };
    Ip::new(network).or_else(|error| bail!(OTHER, "the network cannot be used: {error}"))
}
