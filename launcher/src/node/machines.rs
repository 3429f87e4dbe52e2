//! Which machines there are, and what is known of each.
//!
//! [`file`] reads the machine file, [`find`] says which one; [`list`] reads the lists of other launchers and `--host`, whose names mean
//! the machines of the file, or else whatever ssh makes of them. [`slurm`] has those of an allocation. [`range`] is `n[001-128]`, [`values`] and [`fault`] are for errors
//! that name a place and say what was expected there.

pub mod fault;
pub mod file;
pub mod find;
pub mod list;
pub mod range;
pub mod slurm;
pub mod values;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::thread;

use hpvm_wire::devices::Device;

use super::noise::keys::Key;

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub name: String,
    /// What ssh is told.
    pub address: String,
    /// Where the ranks of others reach its own; by itself where ssh reached it.
    pub advertise: Option<IpAddr>,
    /// Ranks before the next machine gets some.
    pub slots: u32,
    /// It never gets more.
    pub max_slots: Option<u32>,
    pub hpvmd: Option<PathBuf>,
    /// Words before the address; empty for this machine.
    pub ssh: Vec<String>,
    /// An `hpvmd` that runs there as a service.
    pub service: Option<Service>,
    /// They are Slurm's `srun` and its options, and no shell is there.
    pub by_srun: bool,
    pub labels: Vec<String>,
    /// Indices of [`Catalogue::networks`], rising, with its address there if it is another.
    pub networks: Vec<(usize, Option<IpAddr>)>,
    pub site: Option<String>,
}

impl Machine {
    /// A machine of which nothing but the name is known. `own` are the names of this one.
    fn named(name: &str, own: &[String]) -> Self {
        let ssh = if own.iter().any(|one| one == name) { Vec::new() } else { default_ssh() };
        Self {
            name: name.into(),
            address: name.into(),
            advertise: None,
            slots: 1,
            max_slots: None,
            hpvmd: None,
            ssh,
            service: None,
            by_srun: false,
            labels: Vec::new(),
            networks: Vec::new(),
            site: None,
        }
    }

    /// It is the one that `hpvmrun` runs on.
    pub fn is_here(&self) -> bool {
        self.ssh.is_empty()
    }
}

/// How a machine's `hpvmd --system` is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// By which it is known.
    pub host_key: Key,
    pub port: u16,
    /// Whether there is no other way: ssh is not tried.
    pub only: bool,
    /// The file with the caller's own key, if it is not the usual one.
    pub key: Option<PathBuf>,
    /// Where that is, once it was looked up; why it is not known.
    pub at: Option<Result<SocketAddr, String>>,
}

/// So many names are looked up at the same time.
const LOOKED_UP_MAX: usize = 128;

/// Finds out where services are. With a resolver that is not answered this takes as long as for one of them: nobody else could be heard meanwhile, so
/// that it is done before there is a job.
pub fn look_up(machines: &mut [Machine]) {
    let find = |host: &str, port: u16| {
        let found = (host, port).to_socket_addrs().map_err(|error| error.to_string());
        found.and_then(|mut all| all.next().ok_or_else(|| "it has none".into()))
    };
    for some in machines.chunks_mut(LOOKED_UP_MAX) {
        thread::scope(|scope| {
            for machine in some {
                let Some(service) = &mut machine.service else { continue };
                let host = machine.address.rsplit('@').next().unwrap_or_default();
                match host.parse() {
                    Ok(address) => service.at = Some(Ok(SocketAddr::new(address, service.port))),
                    Err(_) => drop(scope.spawn(move || service.at = Some(find(host, service.port)))),
                }
            }
        });
    }
}

/// Where `hpvmd --system` listens by itself.
pub const PORT: u16 = 14786;

/// What a machine file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    pub machines: Vec<Machine>,
    /// The preferred one first.
    pub networks: Vec<Network>,
    pub sites: Vec<Site>,
}

/// What several machines are attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    /// What may carry messages over it, the preferred one first; none where nothing is said: `ip`, and what `--device` asks for.
    pub devices: Vec<&'static Device>,
}

/// Machines that reach others through a gateway. Known, but of no effect in this version, whose devices do not bridge sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub name: String,
    /// One of its machines.
    pub gateway: Option<String>,
    /// Where other sites reach the gateway.
    pub address: Option<String>,
}

/// No question can be answered, and a machine that is off shall not hold up the job for minutes.
fn default_ssh() -> Vec<String> {
    ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"].map(String::from).into()
}

/// The names by which this machine may be called.
pub fn own_names(host: &str) -> Vec<String> {
    let short = host.split('.').next().unwrap_or(host);
    ["localhost", "127.0.0.1", "::1", host, short].map(String::from).into()
}
