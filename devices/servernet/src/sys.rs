//! The system calls that this device makes: sockets of datagrams, many of which go through one call.

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::io::{self, ErrorKind};
use std::mem::{MaybeUninit, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A socket, at every address of this machine.
pub struct Socket {
    fd: OwnedFd,
    is_v6: bool,
    /// Whether the system cuts what is sent into datagrams.
    cuts: AtomicBool,
}

/// Where a peer's socket is, in the form that a socket of ours needs.
#[derive(Clone, Copy)]
pub struct Address {
    bytes: [u8; size_of::<libc::sockaddr_in6>()],
    len: u8,
}

/// Datagrams to one address that lie behind each other, all of `segment` bytes but for the last, which may be shorter.
#[derive(Clone, Copy)]
pub struct Train<'b> {
    pub to: &'b Address,
    pub bytes: &'b [u8],
    pub segment: usize,
}

/// A train is shorter, in bytes and in datagrams: what a system takes at once.
pub const TRAIN_BYTES: usize = 60_000;
pub const TRAIN_SEGMENTS: usize = 60;

/// Trains that go through one call.
const TRAINS: usize = 8;

/// What a socket is asked to keep in either direction. The system's own limit may be lower.
const BUFFER: usize = 4 << 20;

impl Socket {
    /// At any port.
    pub fn new() -> io::Result<Socket> {
        let (fd, is_v6) = match open(AddressFamily::INET6) {
            Ok(fd) if bind(&fd, IpAddr::V6(Ipv6Addr::UNSPECIFIED)).is_ok() => (fd, true),
            _ => {
                let fd = open(AddressFamily::INET)?;
                bind(&fd, IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
                (fd, false)
            }
        };
        // Less of them is slower, no more.
        let _ = sockopt::set_socket_recv_buffer_size_force(&fd, BUFFER).or_else(|_| sockopt::set_socket_recv_buffer_size(&fd, BUFFER));
        let _ = sockopt::set_socket_send_buffer_size_force(&fd, BUFFER).or_else(|_| sockopt::set_socket_send_buffer_size(&fd, BUFFER));
        set_option(&fd, libc::SOL_UDP, libc::UDP_GRO, 1);
        Ok(Socket { fd, is_v6, cuts: AtomicBool::new(true) })
    }

    pub fn port(&self) -> io::Result<u16> {
        let address: SocketAddr = rustix::net::getsockname(&self.fd)?.try_into()?;
        Ok(address.port())
    }

    /// In the form that this socket needs.
    pub fn address(&self, address: SocketAddr) -> io::Result<Address> {
        let mut bytes = [0; size_of::<libc::sockaddr_in6>()];
        let len = match (self.is_v6, address) {
            (true, address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                    IpAddr::V6(ip) => ip,
                };
                let scope = if let SocketAddr::V6(address) = address { address.scope_id() } else { 0 };
                let address = SocketAddrV6::new(ip, address.port(), 0, scope);
                bytes[0..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
                bytes[8..24].copy_from_slice(&address.ip().octets());
                bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
                28
            }
            (false, SocketAddr::V4(address)) => {
                bytes[0..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
                bytes[4..8].copy_from_slice(&address.ip().octets());
                16
            }
            (false, SocketAddr::V6(_)) => return Err(io::Error::new(ErrorKind::Unsupported, format!("this machine has no IPv6, and {address} needs it"))),
        };
        Ok(Address { bytes, len })
    }

    /// Hands trains to the network, which may lose them: what it does not take now is lost, too.
    pub fn send(&self, trains: &[Train]) {
        for trains in trains.chunks(TRAINS) {
            if !self.cuts.load(Relaxed) || !self.send_whole(trains) {
                trains.iter().for_each(|train| self.send_each(train));
            }
        }
    }

    /// Returns false if the system does not cut trains.
    fn send_whole(&self, trains: &[Train]) -> bool {
        // SAFETY: all of these are plain numbers and pointers, for which zeroes are values.
        let (mut parts, mut messages): ([libc::iovec; TRAINS], [libc::mmsghdr; TRAINS]) = unsafe { zeroed() };
        let mut controls = [Control::default(); TRAINS];
        for (((train, part), message), control) in trains.iter().zip(&mut parts).zip(&mut messages).zip(&mut controls) {
            *part = libc::iovec { iov_base: train.bytes.as_ptr().cast_mut().cast(), iov_len: train.bytes.len() };
            let header = &mut message.msg_hdr;
            (header.msg_name, header.msg_namelen) = (train.to.bytes.as_ptr().cast_mut().cast(), train.to.len.into());
            (header.msg_iov, header.msg_iovlen) = (part, 1);
            if train.bytes.len() > train.segment {
                control.say(train.segment as u16);
                (header.msg_control, header.msg_controllen) = ((&raw mut *control).cast(), Control::LEN);
            }
        }
        let mut sent = 0;
        while sent < trains.len() {
            let left = &mut messages[sent..trains.len()];
            // SAFETY: `left` are headers that point to names, bytes and control data that live until this returns.
            let count = unsafe { libc::sendmmsg(self.fd.as_raw_fd(), left.as_mut_ptr(), left.len() as u32, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) };
            if count > 0 {
                sent += count as usize;
                continue;
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => (),
                Some(libc::EINVAL | libc::EIO | libc::ENOPROTOOPT) if trains[sent].bytes.len() > trains[sent].segment => {
                    self.cuts.store(false, Relaxed);
                    return sent > 0 && sent == trains.len();
                }
                // No room (it is lost), no way there (it is lost), or what an earlier datagram has come to.
                _ => sent += 1,
            }
        }
        true
    }

    fn send_each(&self, train: &Train) {
        for datagram in train.bytes.chunks(train.segment) {
            // SAFETY: the bytes and the address live until this returns.
            unsafe {
                let (flags, name) = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL, train.to.bytes.as_ptr().cast());
                libc::sendto(self.fd.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), flags, name, train.to.len.into());
            }
        }
    }

    /// Until there is something to receive. Returns whether there is.
    pub fn wait(&self, limit: Duration) -> bool {
        let mut polled = [PollFd::new(&self.fd, PollFlags::IN)];
        let limit = Timespec::try_from(limit).ok();
        poll(&mut polled, limit.as_ref()).is_ok_and(|count| count > 0)
    }

    /// Receives what is there into `pile`, which is empty. Returns whether there was something.
    pub fn receive(&self, pile: &mut Pile) -> bool {
        // SAFETY: all of these are plain numbers and pointers, for which zeroes are values.
        let (mut parts, mut messages): ([libc::iovec; PILE], [libc::mmsghdr; PILE]) = unsafe { zeroed() };
        let mut controls = [Control::default(); PILE];
        for (((room, part), message), control) in pile.rooms.chunks_exact_mut(ROOM).zip(&mut parts).zip(&mut messages).zip(&mut controls) {
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: ROOM };
            (message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen) = (part, 1);
            (message.msg_hdr.msg_control, message.msg_hdr.msg_controllen) = ((&raw mut *control).cast(), Control::LEN);
        }
        let count = loop {
            let (fd, flags) = (self.fd.as_raw_fd(), libc::MSG_DONTWAIT);
            // SAFETY: the headers point to rooms and control data that live until this returns, and nobody else uses.
            let count = unsafe { libc::recvmmsg(fd, messages.as_mut_ptr(), PILE as u32, flags, std::ptr::null_mut()) };
            if count >= 0 || io::Error::last_os_error().kind() != ErrorKind::Interrupted {
                break count.max(0) as usize;
            }
        };
        for (index, (message, control)) in messages[..count].iter().zip(&controls).enumerate() {
            let len = (message.msg_len as usize).min(ROOM);
            let segment = if message.msg_hdr.msg_controllen >= Control::LEN { control.segment() } else { 0 };
            pile.lengths[index] = (len, if segment == 0 { len } else { segment });
        }
        (pile.count, pile.next, pile.at) = (count, 0, 0);
        count > 0
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open(family: AddressFamily) -> io::Result<OwnedFd> {
    let fd = rustix::net::socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, Some(ipproto::UDP))?;
    if family == AddressFamily::INET6 {
        sockopt::set_ipv6_v6only(&fd, false)?;
    }
    Ok(fd)
}

fn bind(fd: &OwnedFd, ip: IpAddr) -> io::Result<()> {
    Ok(rustix::net::bind(fd, &SocketAddr::new(ip, 0))?)
}

fn set_option(fd: &OwnedFd, level: i32, name: i32, value: i32) {
    // SAFETY: the value is an int, as its length says. What the system does not know it refuses.
    unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size_of::<i32>() as u32) };
}

/// The largest datagram that leaves whole towards `address`.
pub fn datagram_max(address: SocketAddr) -> io::Result<usize> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let fd = open(family)?;
    rustix::net::connect(&fd, &address)?;
    let (level, name, headers) = if address.is_ipv4() { (libc::IPPROTO_IP, libc::IP_MTU, 28) } else { (libc::IPPROTO_IPV6, libc::IPV6_MTU, 48) };
    let (mut mtu, mut len) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: the kernel writes an int, for which there is room.
    let done = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, (&raw mut mtu).cast(), &raw mut len) };
    if done == 0 { Ok((mtu as usize).saturating_sub(headers)) } else { Err(io::Error::last_os_error()) }
}

/// Control data of one message: the length of its datagrams.
#[repr(C, align(8))]
#[derive(Clone, Copy, Default)]
struct Control {
    len: usize,
    level: i32,
    kind: i32,
    value: [u8; 8],
}

impl Control {
    const LEN: usize = size_of::<Control>();

    fn say(&mut self, segment: u16) {
        *self = Control { len: size_of::<libc::cmsghdr>() + 2, level: libc::SOL_UDP, kind: libc::UDP_SEGMENT, value: [0; 8] };
        self.value[..2].copy_from_slice(&segment.to_ne_bytes());
    }

    /// 0 if it says nothing.
    fn segment(&self) -> usize {
        let is_there = self.level == libc::SOL_UDP && self.kind == libc::UDP_GRO && self.len >= size_of::<libc::cmsghdr>() + 4;
        if is_there { i32::from_ne_bytes([self.value[0], self.value[1], self.value[2], self.value[3]]).max(0) as usize } else { 0 }
    }
}

/// Messages that are received at once, each of them perhaps a train.
const PILE: usize = 8;
const ROOM: usize = 64 << 10;

/// What was received and not taken yet.
pub struct Pile {
    rooms: Box<[u8]>,
    /// Of each: its bytes, and those of its datagrams.
    lengths: [(usize, usize); PILE],
    count: usize,
    /// The one that is being taken, and from which byte on.
    next: usize,
    at: usize,
}

impl Pile {
    pub fn new() -> Pile {
        let rooms: Box<[MaybeUninit<u8>]> = Box::new_zeroed_slice(PILE * ROOM);
        // SAFETY: they are zeroes.
        let rooms = unsafe { rooms.assume_init() };
        Pile { rooms, lengths: [(0, 0); PILE], count: 0, next: 0, at: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.next == self.count
    }

    /// The next datagram.
    pub fn take(&mut self) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let (len, segment) = self.lengths[self.next];
        let (start, end) = (self.at, (self.at + segment).min(len));
        let room = &self.rooms[self.next * ROOM..];
        self.at = end;
        if end == len {
            (self.next, self.at) = (self.next + 1, 0);
        }
        Some(&room[start..end])
    }
}

/// What this device's sockets have, as one descriptor.
pub struct Poller(OwnedFd);

impl Poller {
    pub fn new(sockets: &[Socket]) -> io::Result<Poller> {
        let poller = epoll::create(CreateFlags::CLOEXEC)?;
        for socket in sockets {
            epoll::add(&poller, socket, EventData::new_u64(0), EventFlags::IN)?;
        }
        Ok(Poller(poller))
    }

    pub fn any_ready(&self) -> bool {
        let mut event = [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 1];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        epoll::wait(&self.0, &mut event, Some(&now)).is_ok_and(|count| count > 0)
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
