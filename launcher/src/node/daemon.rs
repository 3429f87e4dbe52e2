//! `hpvmd`: a node's side of a job.
//!
//! It makes what `hpvmrun` makes for a job on one machine: memory, status board, bell, pipes, keepers. What it learns from them it passes on,
//! and what it is told it does. When its standard input ends, because `hpvmrun` or the network is gone, everything here ends.

pub mod serve;

use std::env;
use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use hpvm_wire::{Bell, Board, Descriptor, Network, board};

use super::channel::Channel;
use super::frame::Frame;
use super::greeting::{NEWEST, OLDEST, Offer};
use super::job::NodeJob;
use super::noise::keys::{self, KeyPair};
use super::system;
use crate::doctor::probe;
use crate::exit;
use crate::job::channels::{Channels, raise_descriptor_limit};
use crate::keeper::{self, Setup};
use crate::network::Listeners;
use crate::sys;
use serve::Service;

const HELP: &str = "\
Usage:
  hpvmd --job
  hpvmd --probe
  hpvmd --system [FILE]
  hpvmd --key [FILE]

Runs the ranks of a job on this machine, for an hpvmrun on another one. hpvmrun starts it through ssh, or it runs as a system's service
for all users and all their jobs (see docs/hpvmd.md).

Options:
  --job            serve one job, spoken of on standard input and output, and leave
  --probe          answer the questions of hpvmrun doctor
  --system [FILE]  serve all users, with the settings in FILE (default /etc/hpvm/hpvmd.toml)
  --key [FILE]     print the public key that belongs to the secret one in FILE (default ~/.config/hpvm/key), which is made if it is missing
  -h, --help       print this text
  -V, --version    print the version
";

/// How long hpvmrun may take to answer the greeting, and so to say how long it may take in general. If ssh has led here, it does so at once.
const FIRST_WORD: Duration = Duration::from_secs(10);

/// All of `hpvmd`.
pub fn main() -> u8 {
    let words: Vec<_> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--job"] if io::stdin().is_terminal() => refuse("--job: standard input is a terminal, and no hpvmrun is behind it"),
        ["--job"] => job(),
        ["--probe"] => probe::main(),
        ["--system"] => system::main(None),
        ["--system", path] => system::main(Some(path)),
        ["--context"] => context(),
        ["--key"] => key(keys::path_of_user(|name| env::var_os(name))),
        ["--key", path] => key(Some(path.into())),
        ["--probe-target"] => probe::target(),
        ["--probe-read", pid, address] => probe::read(pid, address),
        ["-h" | "--help"] => {
            print!("{HELP}");
            0
        }
        ["-V" | "--version"] => {
            println!("hpvmd (HPVM) {}", Offer::own());
            0
        }
        _ => refuse("it is hpvmrun that starts this program; hpvmd --help says how"),
    }
}

fn refuse(text: &str) -> u8 {
    eprintln!("hpvmd: {text}");
    exit::USAGE
}

fn key(path: Option<PathBuf>) -> u8 {
    match path.ok_or_else(|| "--key: there is no home folder: name a file".to_owned()).and_then(|path| KeyPair::read_or_make(&path)) {
        Ok(pair) => {
            println!("{}", pair.public);
            0
        }
        Err(why) => {
            eprintln!("hpvmd: {why}");
            exit::LAUNCH
        }
    }
}

fn job() -> u8 {
    end_with_parent();
    let (from, to) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let taken = take(from).and_then(|from| Ok((from, take(to)?))).and_then(|(from, to)| free_stdio().and_then(|()| Channel::to_launcher(from, to)));
    match taken {
        Ok(channel) => serve(channel),
        Err(error) => refuse(&format!("standard input and output cannot be used: {error}")),
    }
}

/// What a child of `hpvmd --system` is, once it is the user's.
fn context() -> u8 {
    // The daemon has one thread.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // It was started by another path.
    let _ = rustix::thread::set_name(c"hpvmd");
    match system::serve::granted() {
        Some(channel) if free_stdio().is_ok() => serve(channel),
        // The daemon has ended, or has no context for it.
        _ => exit::LAUNCH,
    }
}

fn serve(mut channel: Channel) -> u8 {
    match prepare(&mut channel) {
        // hpvmrun has changed its mind.
        Ok(None) => 0,
        Ok(Some(service)) => service.run(channel),
        Err(text) => {
            channel.send(&Frame::Refused(text));
            channel.drain();
            exit::LAUNCH
        }
    }
}

/// Has the kernel end this process, also one that was stopped, with the session of sshd that started it. The kernel means the thread that did:
/// of a parent with several it is not known which, and whether it stays.
fn end_with_parent() {
    let Some(parent) = rustix::process::getppid() else { return };
    let status = std::fs::read_to_string(format!("/proc/{}/status", parent.as_raw_pid())).unwrap_or_default();
    if status.lines().any(|line| line.split_whitespace().eq(["Threads:", "1"])) {
        // What cannot be had is not missed unless this process is stopped.
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    }
}

/// What sshd says in `SSH_CONNECTION`, of a step of Slurm: the address of `hpvmrun`'s machine, and the one from which it is reached.
fn through_slurm() -> Option<String> {
    let launcher: IpAddr = env::var("SLURM_LAUNCH_NODE_IPADDR").ok()?.parse().ok()?;
    let any: IpAddr = if launcher.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // No packet leaves: it is only asked which way one would take.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((launcher, 9)).ok()?;
    Some(format!("{launcher} 0 {} 0", socket.local_addr().ok()?.ip()))
}

fn take(fd: BorrowedFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

/// The channel has descriptors of its own; nothing that is started here finds it at 0 and 1.
fn free_stdio() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}

/// Up to the start of the ranks.
fn prepare(channel: &mut Channel) -> Result<Option<Service>, String> {
    let system = |error: io::Error| format!("cannot prepare the job: {error}");
    channel.listen(Some(FIRST_WORD));
    let silence = match channel.wait() {
        Some(Frame::Hello { protocol: OLDEST..=NEWEST, silence }) => Some(Duration::from_millis(silence.into())).filter(|time| !time.is_zero()),
        Some(Frame::Hello { protocol, .. }) => return Err(format!("hpvmrun speaks protocol {protocol}, and this is {}", Offer::own())),
        Some(_) => return Err("it was not greeted first".into()),
        None => return Ok(None),
    };
    channel.listen(silence);
    let job = match channel.wait() {
        Some(Frame::Job(bytes)) => NodeJob::decode(&bytes).ok_or("the job it was sent is none")?,
        Some(_) => return Err("it was not sent a job after the greeting".into()),
        None => return Ok(None),
    };
    let (size, here) = (job.ranks[0].0.size, job.ranks.len() as u32);
    // Made first, so that ranks inherit low numbers.
    let (mem, status) = (board::create_message_memory().map_err(system)?, Board::create(size).map_err(system)?);
    let bell = Bell::new().map_err(system)?;
    let lines = Board::map(&status, size).map_err(system)?;
    let describe = |file| Descriptor::of(file).map_err(system);
    let (mem_named, status_named) = (describe(&mem)?, describe(&status)?);
    let event_named = Descriptor::of(&bell).map_err(system)?;
    let files = raise_descriptor_limit(here, false)?;

    let listeners = listen(job.ranks.len()).map_err(|error| format!("no socket for the ranks: {error}"))?;
    let connection = channel.connection().or_else(|| env::var("SSH_CONNECTION").ok()).or_else(through_slurm).unwrap_or_default();
    channel.send(&Frame::Ready { connection, ports: listeners.ports().map_err(system)? });
    let network = match channel.wait() {
        Some(Frame::Network(text)) => str::from_utf8(&text).ok().and_then(Network::parse).ok_or("the network it was sent is none")?,
        Some(_) => return Err("it was not sent the network after the job".into()),
        None => return Ok(None),
    };
    let (net, net_kept) = listeners.setup(&network).map_err(system)?;

    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let plan = job.into_plan(host)?;
    let channels = Channels::new(here)?;
    sys::unblock_signals().map_err(system)?;
    let mask = sys::block_signals(&[libc::SIGCHLD]).map_err(system)?;
    let setup = Setup {
        plan: &plan,
        ends: channels.theirs,
        mem: mem_named,
        status: status_named,
        event: event_named,
        net: Some(net),
        pmi: Vec::new(),
        relay: None,
        // hpvmrun notices first, and can say what has happened.
        silence: silence.map(|silence| silence * 5 / 4),
        mask,
        files,
    };
    let ours = (channels.ours, channels.stdin);
    let (keepers, (ends, stdin)) = keeper::start(setup, ours).map_err(|error| format!("cannot start the keepers: {error}"))?;
    let places = plan.ranks.iter().map(|rank| rank.place.rank).collect();
    // Kept open for as long as hpvmd lives, for ranks whose own were closed on the way.
    Ok(Some(Service::new(places, lines, bell, keepers, ends, stdin, net_kept, [mem, status], silence)))
}

/// At every address of this machine; connections without the job's key are dropped.
fn listen(ranks: usize) -> io::Result<Listeners> {
    Listeners::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), ranks).or_else(|_| Listeners::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), ranks))
}
