//! Buffered sends (MPI 5.0 section 3.6).
//!
//! The message is copied when it is sent and goes on from the engine's own memory; of the user's buffer only the size is used, to refuse
//! what the standard says does not fit.

use crate::adi::send::{Address, Mode};
use crate::buf::Buf;
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::bail;
use parking_lot::Mutex;

/// What each message costs beside its bytes (`MPI_BSEND_OVERHEAD`).
pub const OVERHEAD: u64 = 512;

/// A place to attach a buffer to: the process, a session, or a communicator.
#[derive(Default)]
pub struct BufferSlot {
    attached: Mutex<Option<Attached>>,
}

/// An attached buffer, as the user named it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserBuffer {
    pub addr: usize,
    /// Bytes; `None` for `MPI_BUFFER_AUTOMATIC`.
    pub size: Option<u64>,
}

struct Attached {
    buffer: UserBuffer,
    /// Sends from it that may be under way, and what they take of it.
    sends: Vec<(Handle, u64)>,
}

impl Attached {
    fn used(&mut self, process: &Process) -> u64 {
        self.sends.retain(|(send, _)| process.is_under_way(*send));
        self.sends.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl BufferSlot {
    /// # Errors
    /// `MPI_ERR_BUFFER` when one is attached already.
    pub fn attach(&self, buffer: UserBuffer) -> Result<()> {
        let mut attached = self.attached.lock();
        if attached.is_some() {
            bail!(BUFFER, "a buffer is attached already: detach it first");
        }
        *attached = Some(Attached { buffer, sends: Vec::new() });
        Ok(())
    }

    pub fn is_attached(&self) -> bool {
        self.attached.lock().is_some()
    }

    /// Nothing sent from the buffer is under way any more.
    pub fn is_flushed(&self, process: &Process) -> bool {
        self.attached.lock().as_mut().is_none_or(|attached| attached.used(process) == 0)
    }

    /// Waits until all messages sent from the buffer have left.
    pub fn flush(&self, process: &Process) {
        process.wait_until(|| process.waits_for_sends(), || self.is_flushed(process));
    }

    /// Waits as [`flush`](Self::flush) and takes the buffer back.
    ///
    /// # Errors
    /// `MPI_ERR_BUFFER` when none is attached.
    pub fn detach(&self, process: &Process) -> Result<UserBuffer> {
        self.flush(process);
        match self.attached.lock().take() {
            Some(attached) => Ok(attached.buffer),
            None => bail!(BUFFER, "no buffer is attached"),
        }
    }
}

impl Process {
    /// Starts a buffered send; the request is done at once.
    ///
    /// # Errors
    /// `MPI_ERR_BUFFER` when no buffer is attached or the message does not fit what is left of it.
    pub fn ibsend(&self, buf: Buf<'_>, to: Address<'_>) -> Result<Handle> {
        // The nearest one counts (MPI 5.0 section 3.6).
        let session = to.comm.group.session().map(|session| &session.buffer);
        let nearest = [Some(&to.comm.buffer), session].into_iter().flatten().find(|slot| slot.is_attached());
        let slot = nearest.unwrap_or(&self.buffer);
        // What has left already makes room.
        self.progress();
        let mut attached = slot.attached.lock();
        let Some(attached) = attached.as_mut() else {
            bail!(BUFFER, "buffered send of {} bytes: no buffer is attached (MPI_Buffer_attach)", buf.bytes());
        };
        let cost = buf.bytes() + OVERHEAD;
        if let Some(size) = attached.buffer.size {
            let left = size.saturating_sub(attached.used(self));
            if cost > left {
                bail!(
                    BUFFER,
                    "buffered send of {} bytes needs {cost} of the attached buffer (MPI_BSEND_OVERHEAD is {OVERHEAD}), which \
                     has {left} of {size} left",
                    buf.bytes()
                );
            }
        }
        let mut copy = vec![0; buf.bytes() as usize].into_boxed_slice();
        buf.read_at(0, &mut copy);
        let send = self.isend_owned(copy, to, Mode::Standard)?;
        let request = self.requests.get(send)?;
        {
            let mut inner = request.inner.lock();
            inner.buffered = !request.is_done();
            request.set_done(true);
        }
        attached.sends.push((send, cost));
        Ok(send)
    }

    /// A buffered send has not left yet.
    fn is_under_way(&self, send: Handle) -> bool {
        self.requests.find(send).is_some_and(|request| request.inner.lock().buffered)
    }
}
