//! A call to a peer, until there is a connection: the caller's half of the [`greeting`].

use crate::greeting::{self, ANSWER, BUSY, CHALLENGE, HELLO, WELCOME};
use crate::sealing::Ciphers;
use crate::sending::Connection;
use crate::shared::Shared;
use crate::sys::{self, Moved, READ, WRITE};
use fm::Peer;
use rustix::io::Errno;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

pub struct Call {
    socket: OwnedFd,
    to: Peer,
    stage: Stage,
    since: Instant,
}

enum Stage {
    Connecting,
    /// So many bytes of the listener's challenge have come.
    Listening([u8; CHALLENGE], usize),
    /// We have said who we are, and so many bytes of the answer have come.
    Asking { challenge: [u8; CHALLENGE], hello: [u8; HELLO], answer: [u8; ANSWER], heard: usize },
}

/// What has become of a call.
pub enum Reply {
    NotYet,
    /// It is the connection from now on.
    Welcome,
    /// The peer calls us, and that call counts.
    Calling,
    /// It was ended before anything was said: by the end of who was called.
    Ended,
    /// It was ended later.
    Dropped,
    /// There is no way to the peer, for this reason.
    Lost(String),
}

/// A listener drops who is silent for long, and when strangers throng there, who has waited longest. That happens to who computes
/// meanwhile, and says nothing of the next call.
const SOON: Duration = Duration::from_secs(5);

impl Call {
    pub fn new(shared: &Shared, to: Peer) -> Result<Self, Errno> {
        let socket = sys::call(address(shared, to))?;
        shared.poller.add(&socket, shared.token(to), WRITE)?;
        Ok(Call { socket, to, stage: Stage::Connecting, since: Instant::now() })
    }

    /// Whether nobody has answered at all yet.
    pub fn is_connecting(&self) -> bool {
        matches!(self.stage, Stage::Connecting)
    }

    /// Whether it was made so short a time ago that its end means something.
    pub fn is_young(&self) -> bool {
        self.since.elapsed() < SOON
    }

    /// Goes on, if something has happened.
    pub fn go_on(&mut self, shared: &Shared) -> Reply {
        if self.is_connecting() {
            match sys::connected(&self.socket) {
                Ok(false) => return Reply::NotYet,
                Ok(true) => {}
                Err(errno) => return Reply::Lost(format!("{} does not answer: {errno}", address(shared, self.to))),
            }
            if let Err(errno) = shared.poller.change(&self.socket, shared.token(self.to), READ) {
                return Reply::Lost(errno.to_string());
            }
            self.stage = Stage::Listening([0; CHALLENGE], 0);
        }
        if let Stage::Listening(challenge, heard) = &mut self.stage {
            match sys::receive(&self.socket, &mut challenge[*heard..]) {
                Moved::Bytes(count) => *heard += count,
                Moved::Later => return Reply::NotYet,
                Moved::End | Moved::Broken(_) => return Reply::Ended,
            }
            if *heard < CHALLENGE {
                return Reply::NotYet;
            }
            let challenge = *challenge;
            let nonce = match greeting::check(&challenge).map(|()| sys::nonce()) {
                Ok(Ok(nonce)) => nonce,
                Ok(Err(errno)) => return Reply::Lost(format!("no random number: {errno}")),
                Err(why) => return Reply::Lost(why),
            };
            let hello = greeting::hello(&shared.key, &challenge, nonce, shared.me, self.to);
            self.stage = Stage::Asking { challenge, hello, answer: [0; ANSWER], heard: 0 };
            // An empty socket takes that many bytes at once.
            if !matches!(sys::send(&self.socket, &hello), Moved::Bytes(HELLO)) {
                return Reply::Dropped;
            }
        }
        let Stage::Asking { challenge, hello, answer, heard } = &mut self.stage else { return Reply::NotYet };
        match sys::receive(&self.socket, &mut answer[*heard..]) {
            Moved::Bytes(count) => *heard += count,
            Moved::Later => return Reply::NotYet,
            Moved::End | Moved::Broken(_) => return Reply::Dropped,
        }
        if *heard < ANSWER {
            return Reply::NotYet;
        }
        match greeting::answered(&shared.key, challenge, hello, answer) {
            Some(WELCOME) => Reply::Welcome,
            Some(BUSY) if self.to < shared.me => Reply::Calling,
            Some(_) => Reply::Lost("it does not speak this device's protocol".into()),
            None => Reply::Lost("who answers there does not have the job's key".into()),
        }
    }

    /// Ends it.
    pub fn hang_up(self, shared: &Shared) {
        shared.poller.remove(&self.socket);
    }

    /// The connection that it has become, watched for reading.
    pub fn into_connection(self, shared: &Shared) -> Connection {
        let ciphers = match &self.stage {
            Stage::Asking { challenge, hello, .. } if shared.encrypt => {
                let [ours, theirs] = greeting::secrets(&shared.key, challenge, hello);
                Some(Ciphers::new(ours, theirs))
            }
            _ => None,
        };
        Connection { socket: self.socket, ciphers }
    }
}

fn address(shared: &Shared, peer: Peer) -> &SocketAddr {
    &shared.addresses[peer.index()]
}
