//! The loop of `hpvmd --system`. Nothing in it blocks but `poll`.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use super::admit::{self, Verdict};
use super::config::Config;
use super::contexts::Contexts;
use super::door::{Door, Known};
use super::guard;
use super::places::Places;
use super::queue::Queue;
use crate::keeper::SURVIVOR_MAX;
use crate::node::channel::Channel;
use crate::node::noise::keys::KeyPair;
use crate::node::noise::sealed::Session;
use crate::sys::{self, SignalFd};
use crate::{proc, reap};

/// Of so many callers at a time before others are heard.
const ACCEPTED_MAX: usize = 64;
/// So many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How often it is said that callers were turned away.
const TELL: Duration = Duration::from_secs(10);

pub struct Daemon {
    config: Config,
    key: KeyPair,
    listeners: Vec<TcpListener>,
    signals: SignalFd,
    door: Door,
    waiting: Queue<Known>,
    /// By the guard of the child that is looking.
    examined: Places<Examined>,
    holders: HashMap<Pid, Holder>,
    contexts: Contexts,
    /// What jobs have left behind, and since when.
    strays: HashMap<i32, Instant>,
    told: Instant,
    /// What jobs begin with: this process has raised its own.
    files: Rlimit,
}

/// What a child is about that is looking.
struct Examined {
    link: OwnedFd,
    stream: TcpStream,
    peer: SocketAddr,
    session: Session,
}

struct Holder {
    context: u32,
    user: String,
}

/// What is not heard must not end the daemon.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "hpvmd: {text}");
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    // By itself few; who comes beside many others would wait for a second.
    rustix::net::listen(&listener, BACKLOG)?;
    Ok(listener)
}

/// All addresses of a machine without IPv6 are those of IPv4.
fn with_or_without_ipv6<T>(at: SocketAddr, listen: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let is_for_all = at.ip() == Ipv6Addr::UNSPECIFIED;
    listen(at).or_else(|error| match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) if is_for_all => listen((Ipv4Addr::UNSPECIFIED, at.port()).into()),
        _ => Err(error),
    })
}

impl Daemon {
    pub fn new(config: Config, key: KeyPair) -> Result<Self, String> {
        let system = |error: std::io::Error| format!("cannot start: {error}");
        let bind = |at: &SocketAddr| with_or_without_ipv6(*at, listen).map_err(|error| format!("cannot listen at {at}: {error}"));
        let listeners: Vec<_> = config.listen.iter().map(bind).collect::<Result<_, _>>()?;
        let files = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|errno| system(errno.into()))?;
        let numbers = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT];
        sys::block_signals(&numbers).map_err(system)?;
        sys::default_action(libc::SIGCHLD).map_err(system)?;
        let signals = SignalFd::new(&numbers).map_err(system)?;
        for listener in &listeners {
            let at = listener.local_addr().map_err(system)?;
            say(&format!("listening at {at}, {} contexts, public key {}", config.contexts, key.public));
        }
        if !rustix::process::geteuid().is_root() {
            say("not started by root: it serves this user alone");
        }
        Ok(Self {
            contexts: Contexts::new(config.contexts),
            config,
            key,
            listeners,
            signals,
            door: Door::default(),
            waiting: Queue::default(),
            examined: Places::default(),
            holders: HashMap::new(),
            strays: HashMap::new(),
            told: Instant::now(),
            files,
        })
    }

    pub fn run(mut self) -> u8 {
        loop {
            let (callers, children) = self.wait();
            if self.signalled() {
                say("told to end: all jobs here end, too");
                reap::everything(&HashSet::new(), |_, _| ());
                return 0;
            }
            for known in self.door.hear(&self.key, &callers) {
                self.queue(known);
            }
            children.into_iter().for_each(|child| self.decide(child));
            self.reap();
            self.examine();
            self.accept();
            self.look();
        }
    }

    /// Which callers have said something, and which children.
    fn wait(&self) -> (Vec<bool>, Vec<Pid>) {
        let input = PollFlags::IN;
        let mut polled = vec![PollFd::new(&self.signals, input)];
        polled.extend(self.listeners.iter().map(|listener| PollFd::new(listener, input)));
        let first_caller = polled.len();
        polled.extend(self.door.callers().iter().map(|caller| PollFd::new(caller, input)));
        let first_child = polled.len();
        let (children, examined): (Vec<Pid>, Vec<&Examined>) = self.examined.callers().unzip();
        polled.extend(examined.iter().map(|examined| PollFd::new(&examined.link, input)));
        let now = Instant::now();
        let strays = self.strays.values().map(|since| *since + SURVIVOR_MAX).min();
        let examined = self.examined.next_look(now, !self.waiting.is_empty());
        let next = [self.door.next_look(), self.waiting.next_look(), examined, strays].into_iter().flatten().min();
        let left = next.and_then(|next| Timespec::try_from(next.saturating_duration_since(now)).ok());
        let _ = poll(&mut polled, left.as_ref());
        let is_ready = |polled: &PollFd| !polled.revents().is_empty();
        let callers = polled[first_caller..first_child].iter().map(is_ready).collect();
        let children = children.into_iter().zip(&polled[first_child..]).filter(|(_, polled)| is_ready(polled)).map(|(child, _)| child);
        (callers, children.collect())
    }

    /// Whether it is to end.
    fn signalled(&self) -> bool {
        std::iter::from_fn(|| self.signals.next()).any(|number| number != libc::SIGCHLD)
    }

    fn accept(&mut self) {
        for listener in &self.listeners {
            for _ in 0..ACCEPTED_MAX {
                match listener.accept() {
                    Ok((stream, peer)) => self.door.let_in(stream, peer),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    // The caller is gone again, or there is no descriptor left, which lasts a little.
                    Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => (),
                    Err(_) => {
                        thread::sleep(Duration::from_millis(10));
                        break;
                    }
                }
            }
        }
    }

    fn queue(&mut self, known: Known) {
        let user = known.wish.user.clone();
        if let Some(gone) = self.waiting.push(&user, known, Instant::now()) {
            say(&format!("{} as {}: refused: too many callers at once", gone.peer, gone.wish.user));
        }
    }

    /// Starts a child for each caller of whom the key is known, as far as there is room.
    fn examine(&mut self) {
        while self.examined.are_free(Instant::now())
            && let Some(known) = self.waiting.next(|user| self.examined.is_free_for(user))
        {
            let Known { stream, peer, key, wish, session } = known;
            let links = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
            let own = rustix::process::getpid();
            let child = links.map_err(std::io::Error::from).and_then(|links| sys::fork().map(|child| (links, child)));
            match child {
                Ok(((_, theirs), None)) => guard::run(own, || admit::run(&self.config, self.files, key, &wish, &stream, &theirs)),
                Ok(((link, _), Some(child))) => self.examined.take(child, &wish.user, Examined { link, stream, peer, session }, Instant::now()),
                Err(error) => say(&format!("{peer}: no process can be made: {error}")),
            }
        }
    }

    /// A child has found out whether its caller is the user that it wants to be.
    fn decide(&mut self, child: Pid) {
        let Some((user, examined)) = self.examined.give_back(child) else { return };
        let Examined { link, stream, peer, session } = examined;
        let uid = match Verdict::receive(&link) {
            Some(Verdict::Is { uid }) => uid,
            Some(Verdict::IsNot(why)) => return say(&format!("{peer} as {user}: refused: {why}")),
            None => return say(&format!("{peer} as {user}: the child that looked has ended")),
        };
        let Some(context) = self.contexts.take(uid) else {
            let why = self.contexts.refusal(uid, &user);
            say(&format!("{peer} as {user}: refused: {why}"));
            // Who does not listen any more needs no reason.
            let _ = Channel::refuse(stream.into(), &session, why);
            return;
        };
        let mut grant = [0; admit::GRANT];
        grant[..4].copy_from_slice(&context.to_le_bytes());
        grant[4..].copy_from_slice(&session.to_bytes());
        say(&format!("{peer} as {user}: context {context}"));
        // A child that has ended meanwhile gives the context back when it is reaped.
        let _ = rustix::net::send(&link, &grant, SendFlags::NOSIGNAL);
        self.holders.insert(child, Holder { context, user });
    }

    fn reap(&mut self) {
        let mut ended = Vec::new();
        reap::ready(&mut |pid, _| ended.push(pid));
        for pid in ended {
            if let Some(Holder { context, user }) = self.holders.remove(&pid) {
                self.contexts.give_back(context);
                say(&format!("context {context} of {user} is free"));
            }
            self.decide(pid);
            // What it said last may have been that it is well.
            if let Some(Holder { context, .. }) = self.holders.remove(&pid) {
                self.contexts.give_back(context);
            }
        }
        self.find_strays();
    }

    /// What was below a guard that was killed is this process's now, and what a guard has not been able to end. The keepers among it are at work, and leave
    /// when they are through.
    fn find_strays(&mut self) {
        let known: HashSet<i32> = self.holders.keys().copied().chain(self.examined.children()).map(Pid::as_raw_pid).collect();
        let mut found = proc::own_children();
        found.retain(|pid| !known.contains(pid));
        self.strays.retain(|pid, _| found.contains(pid));
        let now = Instant::now();
        for pid in found {
            self.strays.entry(pid).or_insert(now);
        }
        if self.strays.values().any(|since| now - *since >= SURVIVOR_MAX) {
            let late: HashSet<i32> = self.strays.iter().filter(|(_, since)| now - **since < SURVIVOR_MAX).map(|(pid, _)| *pid).collect();
            let spared = known.union(&late).copied().collect();
            for process in proc::descendants(std::process::id() as i32, &spared).iter().filter(|process| process.state != b'Z') {
                let _ = process.signal(Signal::KILL);
            }
            // Those take a moment, too.
            self.strays.values_mut().for_each(|since| *since = now);
        }
    }

    fn look(&mut self) {
        let now = Instant::now();
        for late in self.waiting.late(now) {
            say(&format!("{} as {}: refused: too many callers at once", late.peer, late.wish.user));
        }
        for (child, late) in self.examined.late(now) {
            say(&format!("{}: refused: it takes too long to look whether it may; a file system may hang", late.peer));
            // Its guard, which ends what is below.
            let _ = kill_process(child, Signal::TERM);
        }
        if now - self.told >= TELL {
            let count = self.door.take_turned_away();
            if count > 0 {
                say(&format!("{count} callers were turned away, who are no hpvmrun or do not know this machine's key"));
                self.told = now;
            }
        }
    }
}

/// `hpvmd --context`: what a child becomes. Its standard input is the caller's connection, its standard output the daemon's link.
pub fn granted() -> Option<Channel> {
    let mut grant = [0; admit::GRANT];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(rustix::stdio::stdout(), &mut grant)).ok()?;
    let (_, session) = grant.split_at(4);
    let session = Session::from_bytes(session.try_into().ok().filter(|_| length == admit::GRANT)?);
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).ok()?;
    Channel::to_caller(socket, &session).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_ipv6_is_listened_at() {
        let without = |at: SocketAddr| if at.is_ipv4() { Ok(at) } else { Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)) };
        let all = with_or_without_ipv6("[::]:14786".parse().unwrap(), without).unwrap();
        assert_eq!(all, "0.0.0.0:14786".parse().unwrap());
        // An address that was asked for is another matter, and so is one that is taken.
        assert!(with_or_without_ipv6("[::1]:14786".parse().unwrap(), without).is_err());
        let taken = |at: SocketAddr| if at.is_ipv4() { Ok(at) } else { Err(io::Error::from_raw_os_error(libc::EADDRINUSE)) };
        assert!(with_or_without_ipv6("[::]:14786".parse().unwrap(), taken).is_err());
    }
}
