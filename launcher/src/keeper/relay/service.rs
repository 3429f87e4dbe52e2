//! The call to an `hpvmd` that runs on a machine as a service: by which key, as whom, and why it led nowhere.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::network;
use crate::node::channel::Channel;
use crate::node::machines::{Machine, Service};
use crate::node::noise::handshake::{Caller, Wish};
use crate::node::noise::keys::{self, Key, KeyPair};
use crate::sys::account;

/// A service that was called.
#[derive(Debug)]
pub struct Called {
    at: SocketAddr,
    user: String,
    public: Key,
}

/// Begins a connection and the handshake over it.
pub fn call(machine: &Machine, service: &Service) -> Result<(Channel, Called), String> {
    let path = service.key.clone().or_else(|| keys::path_of_user(|name| std::env::var_os(name)));
    let path = path.ok_or("cannot be called: there is no home folder with a key")?;
    let own = KeyPair::read(&path).map_err(|why| format!("cannot be called: {why} (hpvmd --key makes a key)"))?;
    let user = match machine.address.rsplit_once('@') {
        Some((user, _)) => user.to_owned(),
        None => own_name()?,
    };
    let at = match &service.at {
        Some(Ok(at)) => *at,
        Some(Err(why)) => return Err(format!("cannot be reached: no address is known for its name: {why}")),
        None => return Err("cannot be reached: its address was not looked up".into()),
    };
    let (caller, first) = Caller::new(&own, service.host_key, Wish { user: user.clone() })?;
    let open = || {
        let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        network::keep_alive(&socket)?;
        match connect(&socket, &at) {
            Ok(()) | Err(Errno::INPROGRESS) => Channel::to_service(socket, caller, &first),
            Err(errno) => Err(errno.into()),
        }
    };
    let called = Called { at, user, public: own.public };
    let channel = open().map_err(|error: io::Error| called.obituary(false, Some(error)))?;
    Ok((channel, called))
}

fn own_name() -> Result<String, String> {
    let uid = rustix::process::geteuid().as_raw();
    let account = account::numbered(uid).ok().flatten();
    let name = account.and_then(|account| account.name.into_string().ok());
    name.ok_or_else(|| format!("cannot be called: user {uid} has no name; say USER@ before its address"))
}

impl Called {
    /// Why the connection has ended, as the end of a sentence that begins with the machine's name.
    pub fn obituary(&self, has_answered: bool, fault: Option<io::Error>) -> String {
        let Self { at, user, public } = self;
        match fault.filter(|fault| fault.kind() != io::ErrorKind::ConnectionReset && fault.kind() != io::ErrorKind::BrokenPipe) {
            _ if has_answered => "is lost: the connection to its hpvmd has ended".into(),
            Some(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => format!("cannot be reached: no hpvmd --system listens at {at}"),
            Some(fault) => format!("cannot be reached: no connection to its hpvmd at {at}: {fault}"),
            None => format!(
                "cannot be used: its hpvmd at {at} has hung up: the host-key known here may be another one's, or your key is not in \
                 ~/.config/hpvm/authorized_keys of {user} there: {public}"
            ),
        }
    }

    pub fn late(&self, after: Duration) -> String {
        format!("cannot be reached: no answer of its hpvmd at {} for {:.0} s", self.at, after.as_secs_f64())
    }
}
