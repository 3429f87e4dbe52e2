//! Encryption of a channel to a daemon that runs as a system's service, where no ssh does it.
//!
//! The Noise protocol with the pattern XK: the caller knows the daemon's public key beforehand and the daemon learns the caller's in the
//! third message, when both have shown that they hold theirs. [`keys`] are on disk, [`handshake`] agrees on two keys for this one
//! connection, [`sealed`] is what goes between them afterwards. Nothing here reads or writes a socket: bytes go in, bytes come out.
//!
//! See `docs/decisions/0016-system-daemon.md`.

pub mod handshake;
pub mod keys;
pub mod sealed;

use handshake::Caller;
use sealed::Sealed;

/// How the bytes of a channel look on their way.
#[derive(Debug)]
pub enum Wire {
    /// Something else guards them.
    Plain,
    /// The handshake is under way.
    Calling(Box<Caller>),
    Sealed(Box<Sealed>),
}

impl Wire {
    /// Takes what has arrived from `raw`: what it says is appended to `said`, what is to be answered to `answer`.
    pub fn take(&mut self, raw: &mut Vec<u8>, said: &mut Vec<u8>, answer: &mut Vec<u8>) -> Result<(), String> {
        if let Self::Calling(caller) = self
            && let Some((last, session)) = caller.hear(raw)?
        {
            answer.extend(last);
            *self = Self::Sealed(Box::new(Sealed::new(&session)));
        }
        match self {
            Self::Plain => said.append(raw),
            Self::Calling(_) => (),
            Self::Sealed(sealed) => sealed.open(raw, said)?,
        }
        Ok(())
    }

    /// What is to leave for `bytes` to arrive. During the handshake nothing else can be said.
    pub fn wrap(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(bytes),
            Self::Calling(_) => (),
            Self::Sealed(sealed) => sealed.seal(bytes, out),
        }
    }
}
