//! PMI-1, the rank's side: for `mpiexec.hydra` and `srun --mpi=pmi2`. [`hpvm_wire::pmi`] has the messages.

use super::{Manager, World};
use hpvm_wire::pmi::{self, Lines, Malformed, Message};
use mpi_fm::{Result, bail};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::io::{Errno, FdFlags};
use std::fmt::Display;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// How long the launcher may take for its first answer, which asks nothing of other ranks: what is behind the number may be something else.
const FIRST_ANSWER_S: i64 = 30;

/// The launcher, and its table of values.
pub struct Pmi {
    socket: Mutex<Socket>,
    world: World,
    table: String,
    value_max: usize,
}

struct Socket {
    fd: OwnedFd,
    lines: Lines,
}

impl Pmi {
    /// The launcher that the environment names.
    ///
    /// # Errors
    /// When it cannot be spoken with. A process that would be alone in its world needs no launcher, and is told of none.
    pub fn find(get: impl Fn(&str) -> Option<String>) -> Result<Option<Pmi>> {
        let Some(fd) = get(pmi::FD) else { return Ok(None) };
        let number = |name: &str| -> Result<u32> {
            let value = get(name).unwrap_or_default();
            value.parse().or_else(|_| bail!(OTHER, "{}={fd} says that a PMI launcher is there, but {name}={value:?} is no number", pmi::FD))
        };
        let (rank, size) = (number(pmi::RANK)?, number(pmi::SIZE)?);
        if rank >= size {
            bail!(OTHER, "{}={rank} and {}={size}: there is no such rank", pmi::RANK, pmi::SIZE);
        }
        let found = take(&fd).and_then(|fd| Pmi::greet(Socket { fd, lines: Lines::default() }, rank, size));
        match found {
            Err(_) if size == 1 => Ok(None),
            found => found.map(Some),
        }
    }

    fn greet(mut socket: Socket, rank: u32, size: u32) -> Result<Pmi> {
        let init = Message::new("init").with("pmi_version", 1).with("pmi_subversion", 1);
        socket.send(&init)?;
        socket.wait_for_first()?;
        let answer = socket.answer("response_to_init")?;
        if !answer.succeeded() {
            let version = answer.get("pmi_version").unwrap_or("?");
            bail!(OTHER, "the launcher speaks version {version} of PMI, this library version 1");
        }
        let value_max = socket.ask(&Message::new("get_maxes"), "maxes")?.number("vallen_max").or_else(unusable)?;
        let mut optional = |command: &str, answer: &str, key: &str| -> Result<Option<i32>> {
            let answer = socket.ask(&Message::new(command), answer)?;
            // What a launcher does not know it says as a number below 0, or not at all.
            Ok(answer.number::<i32>(key).ok().filter(|number| *number >= 0))
        };
        let appnum = optional("get_appnum", "appnum", "appnum")?;
        let universe_size = optional("get_universe_size", "universe_size", "size")?;
        let table = socket.ask(&Message::new("get_my_kvsname"), "my_kvsname")?.need("kvsname").or_else(unusable)?.to_owned();
        Ok(Pmi { socket: Mutex::new(socket), world: World { rank, size, appnum, universe_size }, table, value_max })
    }

    /// The table is one for all ranks.
    fn key(rank: u32, key: &str) -> String {
        format!("hpvm-{rank}-{key}")
    }
}

impl Manager for Pmi {
    fn world(&self) -> World {
        self.world
    }

    fn put(&self, key: &str, value: &str) -> Result<()> {
        // With the terminating zero.
        if value.len() >= self.value_max {
            bail!(OTHER, "{key} has {} bytes, the launcher takes {}", value.len(), self.value_max);
        }
        let put = Message::new("put").with("kvsname", &self.table).with("key", Pmi::key(self.world.rank, key)).with("value", value);
        let answer = self.socket.lock().ask(&put, "put_result")?;
        if !answer.succeeded() {
            bail!(OTHER, "the launcher does not take {key}: {}", answer.get("msg").unwrap_or("it does not say why"));
        }
        Ok(())
    }

    fn fence(&self) -> Result<()> {
        self.socket.lock().ask(&Message::new("barrier_in"), "barrier_out").map(drop)
    }

    fn get(&self, rank: u32, key: &str) -> Result<String> {
        let get = Message::new("get").with("kvsname", &self.table).with("key", Pmi::key(rank, key));
        let answer = self.socket.lock().ask(&get, "get_result")?;
        match answer.get("value").filter(|_| answer.succeeded()) {
            Some(value) => Ok(value.to_owned()),
            None => bail!(OTHER, "the launcher has no {key} of rank {rank}; is it of the same MPI library?"),
        }
    }

    fn finalize(&self) {
        // A launcher that is gone ends this process by other means.
        let _ = self.socket.lock().ask(&Message::new("finalize"), "finalize_ack");
    }

    fn abort(&self, code: i32) {
        std::thread::sleep(super::LAST_WORDS);
        // Another thread may be waiting for an answer: it has the lock, and this process ends.
        if let Some(mut socket) = self.socket.try_lock() {
            let _ = socket.send(&Message::new("abort").with("exitcode", code));
        }
    }
}

impl Socket {
    fn ask(&mut self, question: &Message, answer: &str) -> Result<Message> {
        self.send(question)?;
        self.answer(answer)
    }

    fn send(&mut self, message: &Message) -> Result<()> {
        let line = message.to_line();
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match rustix::io::write(&self.fd, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT),
                Err(errno) => return lost(errno),
            }
        }
        Ok(())
    }

    /// The next message, which has to be of this name.
    fn answer(&mut self, name: &str) -> Result<Message> {
        loop {
            if let Some(line) = self.lines.take().or_else(unusable)? {
                let message = Message::parse(&line).or_else(unusable)?;
                if message.command() != name {
                    bail!(OTHER, "the launcher answers {} where PMI wants {name}", message.command());
                }
                return Ok(message);
            }
            let mut bytes = [0; 4096];
            match rustix::io::read(&self.fd, &mut bytes) {
                Ok(0) => return lost("it has closed the connection"),
                Ok(count) => self.lines.push(&bytes[..count]),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => self.wait(PollFlags::IN),
                Err(errno) => return lost(errno),
            }
        }
    }

    fn wait(&self, flags: PollFlags) {
        let _ = poll(&mut [PollFd::new(&self.fd, flags)], None);
    }

    fn wait_for_first(&self) -> Result<()> {
        let limit = Timespec { tv_sec: FIRST_ANSWER_S, tv_nsec: 0 };
        match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&limit)) {
            Ok(0) => lost(format!("no answer in {FIRST_ANSWER_S} s")),
            _ => Ok(()),
        }
    }
}

/// Keeps the socket from programs that this one starts, when it is `hpvmrun` that has started this one and nothing is to be said there.
pub fn hide() {
    if let Some(fd) = std::env::var(pmi::FD).ok().and_then(|fd| fd.parse().ok()).filter(|fd: &RawFd| *fd > 2) {
        // SAFETY: it is only asked what it is, and marked; the answer for one that is not open is EBADF.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        if rustix::fs::fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket) {
            let _ = rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC);
        }
    }
}

/// Takes the inherited socket over: programs that this one starts are not to have it.
fn take(value: &str) -> Result<OwnedFd> {
    let gone = |why: &dyn Display| {
        bail!(
            OTHER,
            "{}={value} names no socket of a launcher: {why}. A program between launcher and this one may have closed it, or a rank has \
             started this one, which is then no part of the job",
            pmi::FD
        )
    };
    let Some(number) = value.parse::<RawFd>().ok().filter(|number| *number >= 0) else { return gone(&"it is no number") };
    // SAFETY: it is only asked what it is, to which the answer for one that is not open is EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let kind = match rustix::fs::fstat(fd) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(errno) => return gone(&errno),
    };
    if !matches!(kind, FileType::Socket | FileType::Fifo) {
        return gone(&"it is something else");
    }
    if let Err(errno) = rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC) {
        return gone(&errno);
    }
    // SAFETY: it is open, and a launcher leaves it here for this process; a process starts once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn lost<T>(why: impl Display) -> Result<T> {
    bail!(OTHER, "the launcher, another MPI's, cannot be spoken with: {why}")
}

fn unusable<T>(malformed: Malformed) -> Result<T> {
    bail!(OTHER, "the launcher, another MPI's, says something else than PMI: {malformed}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::fd::IntoRawFd as _;
    use std::os::unix::net::UnixStream;
    use std::thread;

    /// A launcher that answers each line by `answers`, in a thread.
    fn launcher(answers: impl Fn(&str) -> Option<String> + Send + 'static) -> (RawFd, thread::JoinHandle<Vec<String>>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let serve = move || {
            let mut heard = Vec::new();
            for line in BufReader::new(ours.try_clone().unwrap()).lines() {
                let line = line.unwrap();
                let Some(answer) = answers(&line) else { break };
                (&ours).write_all(answer.as_bytes()).unwrap();
                heard.push(line);
            }
            heard
        };
        (theirs.into_raw_fd(), thread::spawn(serve))
    }

    fn find(fd: impl Display, size: u32) -> Result<Option<Pmi>> {
        let fd = fd.to_string();
        Pmi::find(|name| match name {
            pmi::FD => Some(fd.clone()),
            pmi::RANK => Some("0".into()),
            pmi::SIZE => Some(size.to_string()),
            _ => None,
        })
    }

    fn usual(line: &str) -> Option<String> {
        let message = Message::parse(line.as_bytes()).unwrap();
        Some(match message.command() {
            "init" => "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0\n".into(),
            "get_maxes" => "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=16\n".into(),
            "get_appnum" => "cmd=appnum appnum=1\n".into(),
            "get_universe_size" => "cmd=universe_size size=-1\n".into(),
            "get_my_kvsname" => "cmd=my_kvsname kvsname=k\n".into(),
            "get" if message.get("key") == Some("hpvm-1-x") => "cmd=get_result rc=0 msg=success value=y\n".into(),
            "get" => "cmd=get_result rc=-1 msg=key_not_found value=unknown\n".into(),
            "put" => "cmd=put_result rc=0 msg=success\n".into(),
            "barrier_in" => "cmd=barrier_out\n".into(),
            _ => "cmd=finalize_ack\n".into(),
        })
    }

    #[test]
    fn words_are_exchanged() {
        let (fd, launcher) = launcher(usual);
        let pmi = find(fd, 2).unwrap().unwrap();
        assert_eq!(pmi.world(), World { rank: 0, size: 2, appnum: Some(1), universe_size: None });
        pmi.put("x", "value").unwrap();
        assert!(pmi.put("x", "a value that is too long").unwrap_err().text.contains("the launcher takes 16"));
        pmi.fence().unwrap();
        assert_eq!(pmi.get(1, "x").unwrap(), "y");
        assert!(pmi.get(2, "x").unwrap_err().text.contains("no x of rank 2"));
        pmi.finalize();
        drop(pmi);
        let heard = launcher.join().unwrap();
        assert!(heard.contains(&"cmd=put kvsname=k key=hpvm-0-x value=value".to_owned()), "{heard:?}");
    }

    #[test]
    fn whatever_a_launcher_says_there_is_an_error_and_no_panic() {
        for (says, expected) in [
            ("cmd=response_to_init rc=-1 pmi_version=2\n", "version 2 of PMI"),
            ("cmd=barrier_out\n", "answers barrier_out where PMI wants response_to_init"),
            ("garbage\n", "not key=value"),
            ("\u{0}\n", "no command"),
        ] {
            let (fd, _) = launcher(move |_| Some(says.into()));
            let text = find(fd, 2).err().unwrap().text.clone();
            assert!(text.contains(expected), "{text}");
        }
        let (fd, _) = launcher(|line| usual(line).filter(|_| !line.contains("get_maxes")));
        assert!(find(fd, 2).err().unwrap().text.contains("closed the connection"));
        let (fd, _) = launcher(|line| usual(line).map(|answer| answer.replace("=16", "=x")));
        assert!(find(fd, 2).err().unwrap().text.contains("vallen_max"));
    }

    #[test]
    fn an_environment_without_a_launcher_is_named_unless_there_is_one_rank() {
        for (fd, expected) in [("900", "names no socket"), ("x", "no number"), ("-1", "no number")] {
            let text = find(fd, 2).err().unwrap().text.clone();
            assert!(text.contains(expected) && text.contains(fd), "{text}");
            assert!(find(fd, 1).unwrap().is_none());
        }
        assert!(Pmi::find(|_| None).unwrap().is_none());
        let text = Pmi::find(|name| (name == pmi::FD).then(|| "3".into())).err().unwrap().text.clone();
        assert!(text.contains("PMI_RANK"), "{text}");
    }
}
