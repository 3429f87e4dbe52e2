//! Shared memory between ranks that have no parent in common.
//!
//! One rank of a machine makes the memory, and gives its descriptor to each other one over a socket in the abstract name space. That a rank
//! gets it is what shows that both are on one machine: nothing else does, since names and numbers of machines are copied with them. The socket's
//! name is random, both sides ask the kernel whose process the other one is, and who wants the memory has to say a second random word. Names
//! can be read by everybody on a machine (`/proc/net/unix`), the word is in the launcher's table only.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg, sockopt,
};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

/// For the other side to do what it does at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many may have come and not said anything; then the oldest goes. A rank does both at once.
const SILENT_MAX: usize = 128;

/// A rank's two random words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret {
    name: u128,
    word: u128,
}

impl Secret {
    pub fn new() -> io::Result<Secret> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        let (words, _) = bytes.as_chunks();
        Ok(Secret { name: u128::from_ne_bytes(words[0]), word: u128::from_ne_bytes(words[1]) })
    }

    pub fn to_text(self) -> String {
        format!("{:032x}{:032x}", self.name, self.word)
    }

    pub fn parse(text: &str) -> Option<Secret> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let word = |text| u128::from_str_radix(text, 16).ok();
        Some(Secret { name: word(&text[..32])?, word: word(&text[32..])? })
    }

    fn address(self) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(format!("hpvm-{:032x}", self.name))
    }
}

/// Fills `bytes` with random ones.
pub fn random(bytes: &mut [u8]) -> io::Result<()> {
    let mut have = 0;
    while have < bytes.len() {
        have += getrandom(&mut bytes[have..], GetRandomFlags::empty())?;
    }
    Ok(())
}

/// Where a rank gives memory away. It is there before anybody knows who will, so that nobody comes too early.
pub struct Door {
    listener: UnixListener,
    secret: Secret,
}

impl Door {
    pub fn open(secret: Secret) -> io::Result<Door> {
        let listener = UnixListener::bind_addr(&secret.address()?)?;
        listener.set_nonblocking(true)?;
        Ok(Door { listener, secret })
    }

    /// Gives `memory` to each rank that comes, until the other end of `until` is closed. Who comes and says nothing holds nobody up.
    pub fn serve(&self, memory: BorrowedFd<'_>, until: &UnixStream) {
        // The oldest first.
        let mut silent: Vec<UnixStream> = Vec::new();
        loop {
            let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN), PollFd::new(until, PollFlags::IN)];
            polled.extend(silent.iter().map(|stream| PollFd::new(stream, PollFlags::IN)));
            let _ = poll(&mut polled, None);
            if !polled[1].revents().is_empty() {
                return;
            }
            let mut ready = polled.iter().skip(2).map(|polled| !polled.revents().is_empty()).collect::<Vec<_>>().into_iter();
            silent.retain(|stream| {
                let says = ready.next() == Some(true);
                if says {
                    // Who has no right to it, or is gone again, gets none.
                    let _ = self.give(stream, memory);
                }
                !says
            });
            // A few at a time: those who have said their word are heard before they could have to go.
            for (stream, _) in std::iter::from_fn(|| self.listener.accept().ok()).take(SILENT_MAX / 4) {
                // Others cannot have it, and shall not take the places of those that can.
                if of_same_user(&stream).is_err() {
                    continue;
                }
                if silent.len() == SILENT_MAX {
                    silent.remove(0);
                }
                silent.push(stream);
            }
        }
    }

    /// To be called when the other side has said something: a word comes in one piece.
    fn give(&self, stream: &UnixStream, memory: BorrowedFd<'_>) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut word = [0; 16];
        (&*stream).read_exact(&mut word)?;
        if u128::from_le_bytes(word) != self.secret.word {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let files = [memory];
        ancillary.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(stream, &[IoSlice::new(&[1])], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

/// The memory of the rank with this secret.
///
/// # Errors
/// When it is not on this machine, or not of this user.
pub fn fetch(secret: Secret) -> io::Result<OwnedFd> {
    let stream = UnixStream::connect_addr(&secret.address()?)?;
    of_same_user(&stream)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    (&stream).write_all(&secret.word.to_le_bytes())?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(stream.as_fd(), &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let files = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    files.flatten().next().ok_or_else(|| io::Error::other("it gives none"))
}

fn of_same_user(stream: &UnixStream) -> io::Result<()> {
    let theirs = sockopt::socket_peercred(stream)?;
    if theirs.uid == rustix::process::geteuid() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::thread;

    #[test]
    fn who_knows_the_word_gets_the_memory() {
        let memory = hpvm_wire::board::create_message_memory().unwrap();
        rustix::fs::ftruncate(&memory, 4242).unwrap();
        let secret = Secret::new().unwrap();
        assert_eq!(Secret::parse(&secret.to_text()), Some(secret));
        assert!(fetch(secret).is_err(), "nobody is there yet");
        let door = Door::open(secret).unwrap();
        assert!(Door::open(secret).is_err(), "the name is taken");
        let (stop, stopped) = UnixStream::pair().unwrap();
        let early = thread::spawn(move || fetch(secret));
        thread::scope(|scope| {
            scope.spawn(|| door.serve(memory.as_fd(), &stopped));
            let wrong = Secret { word: secret.word ^ 1, ..secret };
            assert!(fetch(wrong).is_err(), "another word");
            drop(UnixStream::connect_addr(&secret.address().unwrap()).unwrap());
            // Half of it and no more, or nothing at all.
            let silent: Vec<_> = (0..3 * SILENT_MAX).map(|number| {
                let mut stream = UnixStream::connect_addr(&secret.address().unwrap()).unwrap();
                stream.write_all(&[7; 8][..number % 2 * 8]).unwrap();
                stream
            }).collect();
            for _ in 0..3 {
                assert_eq!(File::from(fetch(secret).unwrap()).metadata().unwrap().len(), 4242);
            }
            assert!(early.join().unwrap().is_ok());
            drop((silent, stop));
        });
    }
}
