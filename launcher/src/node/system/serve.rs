//! The loop of `hpvmd --system`. Nothing in it blocks but `poll`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
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
use crate::keeper::SURVIVOR_MAX;
use crate::node::channel::Channel;
use crate::node::noise::keys::KeyPair;
use crate::node::noise::sealed::Session;
use crate::sys::{self, SignalFd};
use crate::{proc, reap};

/// So many children may look whether a caller is who it says, and so many callers wait for one.
const EXAMINED_MAX: usize = 32;
const WAITING_MAX: usize = 256;
/// A file system that hangs must not hold a place for ever.
const EXAMINATION_MAX: Duration = Duration::from_secs(30);
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
    waiting: VecDeque<Known>,
    examined: HashMap<Pid, Examined>,
    holders: HashMap<Pid, Holder>,
    contexts: Contexts,
    /// What jobs have left behind, and since when.
    strays: HashMap<i32, Instant>,
    told: Instant,
}

/// A child that is looking, and what it is about.
struct Examined {
    link: OwnedFd,
    stream: TcpStream,
    peer: SocketAddr,
    user: String,
    session: Session,
    since: Instant,
}

struct Holder {
    context: u32,
    user: String,
}

/// What is not heard must not end the daemon.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "hpvmd: {text}");
}

impl Daemon {
    pub fn new(config: Config, key: KeyPair) -> Result<Self, String> {
        let system = |error: std::io::Error| format!("cannot start: {error}");
        let listen = |at: &SocketAddr| {
            let listener = TcpListener::bind(at)?;
            listener.set_nonblocking(true)?;
            // By itself few; who comes beside many others would wait for a second.
            rustix::net::listen(&listener, BACKLOG)?;
            Ok(listener)
        };
        let bind = |at: &SocketAddr| listen(at).map_err(|error: std::io::Error| format!("cannot listen at {at}: {error}"));
        let listeners: Vec<_> = config.listen.iter().map(bind).collect::<Result<_, _>>()?;
        let most = getrlimit(Resource::Nofile).maximum;
        let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
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
            waiting: VecDeque::new(),
            examined: HashMap::new(),
            holders: HashMap::new(),
            strays: HashMap::new(),
            told: Instant::now(),
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
        let children: Vec<Pid> = self.examined.keys().copied().collect();
        polled.extend(self.examined.values().map(|child| PollFd::new(&child.link, input)));
        let examined = self.examined.values().map(|child| child.since + EXAMINATION_MAX).min();
        let strays = self.strays.values().map(|since| *since + SURVIVOR_MAX).min();
        let next = [self.door.next_look(), examined, strays].into_iter().flatten().min();
        let left = next.and_then(|next| Timespec::try_from(next.saturating_duration_since(Instant::now())).ok());
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
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(known);
        } else {
            say(&format!("{}: too many callers at once", known.peer));
        }
    }

    /// Starts a child for each caller of whom the key is known, as far as there is room.
    fn examine(&mut self) {
        while self.examined.len() < EXAMINED_MAX
            && let Some(known) = self.waiting.pop_front()
        {
            let Known { stream, peer, key, wish, session } = known;
            let links = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
            let child = links.map_err(std::io::Error::from).and_then(|links| sys::fork().map(|child| (links, child)));
            match child {
                Ok(((_, theirs), None)) => admit::run(&self.config, key, &wish, &stream, &theirs),
                Ok(((link, _), Some(child))) => {
                    let examined = Examined { link, stream, peer, user: wish.user, session, since: Instant::now() };
                    self.examined.insert(child, examined);
                }
                Err(error) => say(&format!("{peer}: no process can be made: {error}")),
            }
        }
    }

    /// A child has found out whether its caller is the user that it wants to be.
    fn decide(&mut self, child: Pid) {
        let Some(examined) = self.examined.remove(&child) else { return };
        let Examined { link, stream, peer, user, session, .. } = examined;
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
            if self.examined.contains_key(&pid) {
                self.decide(pid);
                // What it said last may have been that it is well.
                if let Some(Holder { context, .. }) = self.holders.remove(&pid) {
                    self.contexts.give_back(context);
                }
            }
        }
        self.find_strays();
    }

    /// What was below a child that has ended is this process's now. The keepers among it are at work, and leave when they are through.
    fn find_strays(&mut self) {
        let known: HashSet<i32> = self.holders.keys().chain(self.examined.keys()).map(|pid| pid.as_raw_pid()).collect();
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
        for (child, examined) in &self.examined {
            if now - examined.since >= EXAMINATION_MAX {
                let _ = kill_process(*child, Signal::KILL);
            }
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
