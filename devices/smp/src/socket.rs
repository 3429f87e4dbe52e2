//! The doorbell of a process that sleeps on sockets of another device as well: a datagram socket beside them.
//!
//! It has a name in the abstract space of its network namespace, a random number that its owner leaves in its control page. A stranger
//! who sends there wakes it in vain.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Its owner's end.
pub struct Socket {
    socket: UnixDatagram,
    pub name: u64,
}

impl Socket {
    pub fn new() -> io::Result<Self> {
        loop {
            // 0 stands for none.
            let name = RandomState::new().build_hasher().finish().max(1);
            match UnixDatagram::bind_addr(&address(name)?) {
                Ok(socket) => {
                    socket.set_nonblocking(true)?;
                    return Ok(Socket { socket, name });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// Forgets what was rung so far.
    pub fn clear(&self) {
        while self.socket.recv(&mut [0]).is_ok() {}
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Where a process rings at others'.
pub struct Caller(io::Result<UnixDatagram>);

impl Caller {
    pub fn new() -> Self {
        let socket = UnixDatagram::unbound().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        Caller(socket)
    }

    /// Wakes who sleeps at the socket of that name. One that is full was rung already; one that is gone sleeps no more.
    pub fn ring(&self, name: u64) {
        if let (Ok(socket), Ok(address)) = (&self.0, address(name)) {
            while let Err(error) = socket.send_to_addr(&[1], &address)
                && error.kind() == io::ErrorKind::Interrupted
            {}
        }
    }
}

fn address(name: u64) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("hpvm-{name:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_heard_until_it_is_cleared() {
        let (one, other) = (Socket::new().unwrap(), Socket::new().unwrap());
        let caller = Caller::new();
        // More than it holds; none of it blocks.
        (0..10_000).for_each(|_| caller.ring(one.name));
        caller.ring(u64::MAX);
        assert!(one.socket.recv(&mut [0]).is_ok());
        one.clear();
        assert!(one.socket.recv(&mut [0]).is_err() && other.socket.recv(&mut [0]).is_err());
        caller.ring(one.name);
        assert!(one.socket.recv(&mut [0]).is_ok());
    }
}
