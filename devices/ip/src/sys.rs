//! The system calls that this device makes.

use crate::greeting::NONCE;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The sockets of a process, and what it wants to know of each.
pub struct Poller(OwnedFd);

pub use rustix::event::epoll::EventFlags as Flags;

/// What is looked for at a socket whose peer may send.
pub const READ: Flags = EventFlags::IN;
/// The same, while something waits to be sent.
pub const READ_WRITE: Flags = EventFlags::IN.union(EventFlags::OUT);
pub const WRITE: Flags = EventFlags::OUT;

const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Poller {
    pub fn new() -> io::Result<Self> {
        Ok(Poller(epoll::create(CreateFlags::CLOEXEC)?))
    }

    pub fn add(&self, socket: impl AsFd, token: u64, flags: Flags) -> Result<(), Errno> {
        epoll::add(&self.0, socket, EventData::new_u64(token), flags)
    }

    pub fn change(&self, socket: impl AsFd, token: u64, flags: Flags) -> Result<(), Errno> {
        epoll::modify(&self.0, socket, EventData::new_u64(token), flags)
    }

    /// Before a socket is closed: a child that was forked may hold it open.
    pub fn remove(&self, socket: impl AsFd) {
        let _ = epoll::delete(&self.0, socket);
    }

    /// Puts the sockets with something to do into `found`, as tokens.
    pub fn ready(&self, found: &mut Vec<(u64, Flags)>) {
        found.clear();
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 32];
        // A failure is an interruption; there will be a next time.
        let count = epoll::wait(&self.0, &mut events, Some(&NOW)).unwrap_or(0);
        found.extend(events[..count].iter().map(|event| (event.data.u64(), event.flags)));
    }

    /// Whether there is any.
    pub fn any_ready(&self) -> bool {
        let mut event = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 1];
        epoll::wait(&self.0, &mut event, Some(&NOW)).is_ok_and(|count| count > 0)
    }

    /// Readable while there is any.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Sleeps until there is any, or `other` is readable, or `limit` has passed, or a signal arrives.
    pub fn sleep(&self, other: BorrowedFd<'_>, limit: Option<Duration>) {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN), PollFd::from_borrowed_fd(other, PollFlags::IN)];
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let _ = poll(&mut polled, limit.as_ref());
    }
}

/// A new call to `address`, on its way.
pub fn call(address: &SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    prepare(&socket);
    match rustix::net::connect(&socket, address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

/// A call to us, if there is one.
pub fn accept(listener: impl AsFd) -> Result<OwnedFd, Errno> {
    loop {
        match rustix::net::accept_with(&listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => {
                prepare(&socket);
                return Ok(socket);
            }
            Err(Errno::INTR | Errno::CONNABORTED) => (),
            Err(errno) => return Err(errno),
        }
    }
}

/// Bytes that nobody can guess.
pub fn nonce() -> Result<[u8; NONCE], Errno> {
    let mut bytes = [0; NONCE];
    // So few come whole.
    let count = getrandom(&mut bytes, GetRandomFlags::empty())?;
    if count == NONCE { Ok(bytes) } else { Err(Errno::INTR) }
}

/// Where a connection leads.
pub fn peer_of(socket: impl AsFd) -> Option<SocketAddr> {
    rustix::net::getpeername(&socket).ok()?.and_then(|address| address.try_into().ok())
}

/// A packet is complete when it is handed to the socket: there is nothing to wait for.
fn prepare(socket: &OwnedFd) {
    let _ = sockopt::set_tcp_nodelay(socket, true);
}

/// As good as the greatest send buffer between hosts that are near each other; kernels double it.
const NEAR_BUFFER: usize = 128 << 10;

/// Hosts are near when a packet and its acknowledgement take so long at most. Farther ones need more bytes under way: the kernel finds out how many.
const NEAR: Duration = Duration::from_micros(60);

/// Keeps what waits in the socket small where that is enough. The kernel's own choice grows to megabytes, which have left the caches when their turn comes.
pub fn fit_buffer(socket: impl AsFd) {
    if round_trip(socket.as_fd()).is_some_and(|time| time <= NEAR) {
        let _ = sockopt::set_socket_send_buffer_size(&socket, NEAR_BUFFER);
    }
}

/// The shortest time that a packet and its acknowledgement have taken.
#[allow(unsafe_code)]
fn round_trip(socket: BorrowedFd<'_>) -> Option<Duration> {
    // `tcpi_min_rtt` of the kernel's `struct tcp_info`, in microseconds, which the libc crate's does not have.
    const MIN_RTT: usize = 148 / 4;
    let mut info = [0u32; MIN_RTT + 1];
    let mut len = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes, which there are, and any bytes are numbers.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut len) };
    let whole = done == 0 && len as usize == size_of_val(&info);
    // Where nothing was measured yet, it is the greatest number.
    (whole && info[MIN_RTT] != u32::MAX).then(|| Duration::from_micros(info[MIN_RTT].into()))
}

/// A socket for datagrams where `connection` ends on our side, and its port.
pub fn datagrams(connection: impl AsFd) -> Result<(OwnedFd, u16), Errno> {
    let here = SocketAddr::try_from(rustix::net::getsockname(&connection)?)?;
    let family = if here.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
    rustix::net::bind(&socket, &with_port(here, 0))?;
    let port = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?.port();
    Ok((socket, port))
}

/// Has datagrams go to where `connection` ends on the other side, at another port, and come from nowhere else.
pub fn lead_to(socket: impl AsFd, connection: impl AsFd, port: u16) -> bool {
    peer_of(connection).is_some_and(|there| rustix::net::connect(socket, &with_port(there, port)).is_ok())
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

/// Bytes that were handed to a connection and have not been sent yet: its peer has no room for them.
#[allow(unsafe_code)]
pub fn unsent(socket: &OwnedFd) -> i32 {
    // `SIOCOUTQNSD` of Linux, which the libc crate does not have.
    const OUTQNSD: libc::c_ulong = 0x894b;
    let mut bytes = 0;
    // SAFETY: the kernel writes one number, if anything.
    unsafe { libc::ioctl(socket.as_raw_fd(), OUTQNSD as _, &raw mut bytes) };
    bytes
}

/// Whether a call has come through yet.
pub fn connected(socket: impl AsFd) -> Result<bool, Errno> {
    sockopt::socket_error(&socket)??;
    match rustix::net::getpeername(&socket) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// What a socket did with bytes, or had of them.
pub enum Moved {
    Bytes(usize),
    /// Nothing now.
    Later,
    /// Nothing any more.
    End,
    Broken(Errno),
}

pub fn send(socket: impl AsFd, bytes: &[u8]) -> Moved {
    moved(|| rustix::net::send(&socket, bytes, SendFlags::NOSIGNAL))
}

/// Sends bytes that lie in several places.
pub fn send_all_of(socket: impl AsFd, parts: &[IoSlice<'_>]) -> Moved {
    moved(|| rustix::net::sendmsg(&socket, parts, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL))
}

pub fn receive(socket: impl AsFd, room: &mut [u8]) -> Moved {
    received(moved(|| rustix::net::recv(&socket, &mut *room, RecvFlags::empty()).map(|(count, _)| count)))
}

/// Receives into `room`, and what is more into `more`.
pub fn receive_apart(socket: impl AsFd, room: &mut [u8], more: &mut [u8]) -> Moved {
    received(moved(|| rustix::io::readv(&socket, &mut [IoSliceMut::new(room), IoSliceMut::new(more)])))
}

fn received(moved: Moved) -> Moved {
    if matches!(moved, Moved::Bytes(0)) { Moved::End } else { moved }
}

fn moved(mut call: impl FnMut() -> Result<usize, Errno>) -> Moved {
    loop {
        match call() {
            Ok(count) => return Moved::Bytes(count),
            Err(Errno::INTR) => (),
            Err(Errno::AGAIN) => return Moved::Later,
            Err(errno) => return Moved::Broken(errno),
        }
    }
}

/// Something that threads of this process ring to wake those that sleep in [`Poller::sleep`].
pub struct Bell(OwnedFd);

impl Bell {
    pub fn new() -> io::Result<Self> {
        Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub fn ring(&self) {
        while let Err(Errno::INTR) = rustix::io::write(&self.0, &1u64.to_ne_bytes()) {}
    }

    pub fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

pub fn yield_core() {
    rustix::thread::sched_yield();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn near_connections_have_small_buffers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let calls: Vec<_> = (0..20).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
        let near: Vec<_> = calls.iter().filter(|call| round_trip(call.as_fd()).is_some_and(|time| time <= NEAR)).collect();
        assert!(!near.is_empty(), "{:?}", calls.iter().map(|call| round_trip(call.as_fd())).collect::<Vec<_>>());
        fit_buffer(near[0]);
        assert_eq!(sockopt::socket_send_buffer_size(near[0]).unwrap(), 2 * NEAR_BUFFER);
        assert_eq!(round_trip(listener.as_fd()).filter(|time| !time.is_zero()), None, "nothing was measured");
    }
}
