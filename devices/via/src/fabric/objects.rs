//! A provider that was opened: a domain with one endpoint, one completion queue and one address vector.

use super::abi::{
    ANYBODY, Address, AvAttr, AvFid, CqAttr, CqEntry, CqError, CqFid, DomainFid, EpFid, FI_CQ_FORMAT_MSG, FI_EAVAIL, FI_ENABLE, FI_GETWAIT,
    FI_MR_ENDPOINT, FI_MR_LOCAL, FI_PROGRESS_AUTO, FI_RECV, FI_TRANSMIT, FI_WAIT_FD, FI_WAIT_NONE, FabricFid, Fid, MrFid,
};
use super::info::Offer;
use super::library::Library;
use super::signals;
use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr::{NonNull, null, null_mut};

/// What an operation that was posted becomes of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    Done,
    /// Not now: after some completions have been read.
    Later,
    /// An error's number.
    Failed(isize),
}

impl Moved {
    #[inline]
    fn of(returned: isize) -> Moved {
        match returned {
            0 => Moved::Done,
            returned if returned == -(libc::EAGAIN as isize) => Moved::Later,
            failed => Moved::Failed(-failed),
        }
    }
}

/// A completion.
pub type Entry = CqEntry;

/// A completion of something that failed.
pub struct Failed {
    /// As it was posted; null where the provider does not know.
    pub context: *mut c_void,
    pub what: String,
}

/// How deep an endpoint's queues are, and what its messages may be.
#[derive(Clone, Copy, Debug)]
pub struct Queues {
    /// Descriptors that may be posted for receiving.
    pub receives: usize,
    /// Longest message that leaves without a completion.
    pub inject_max: usize,
    pub message_max: usize,
    /// Whether the provider moves data without being polled.
    pub moves_alone: bool,
}

/// An opened provider.
pub struct Nic {
    loaded: &'static Library,
    fabric: *mut FabricFid,
    domain: *mut DomainFid,
    av: *mut AvFid,
    cq: *mut CqFid,
    ep: *mut EpFid,
    queues: Queues,
    mr_mode: c_int,
    wait: Option<RawFd>,
    name: Box<[u8]>,
    keys: u64,
}

// SAFETY: libfabric's objects belong to no thread; that only one at a time calls is what `&mut` is for.
unsafe impl Send for Nic {}

/// Completion queues are so long, at least and at most.
const CQ_MIN: usize = 1 << 10;
const CQ_MAX: usize = 1 << 15;

impl Nic {
    /// Opens what a provider offers. With `sleeps` its completions can be [waited](Self::descriptor) for, where the provider can do that.
    ///
    /// # Errors
    /// Says which step failed, and why.
    pub fn open(offer: Offer<'_>, peers: usize, sleeps: bool) -> Result<Nic, String> {
        signals::kept(|| Nic::open_parts(offer, peers, sleeps))
    }

    fn open_parts(offer: Offer<'_>, peers: usize, sleeps: bool) -> Result<Nic, String> {
        let Offer { loaded: library, info } = offer;
        // SAFETY: an offer has all these parts.
        let (tx, rx, ep_attr, domain_attr) = unsafe { (&*info.tx_attr, &*info.rx_attr, &*info.ep_attr, &*info.domain_attr) };
        let queues = Queues {
            receives: rx.size,
            inject_max: tx.inject_size,
            message_max: ep_attr.max_msg_size,
            moves_alone: domain_attr.data_progress == FI_PROGRESS_AUTO,
        };
        // From here on what is open is closed when something fails.
        let mut nic = Nic {
            loaded: library,
            fabric: null_mut(),
            domain: null_mut(),
            av: null_mut(),
            cq: null_mut(),
            ep: null_mut(),
            queues,
            mr_mode: domain_attr.mr_mode,
            wait: None,
            name: Box::default(),
            keys: 0,
        };
        let check = |what: &str, returned: c_int| match returned {
            0 => Ok(()),
            failed => Err(format!("{what}: {}", library.describe(-(failed as isize)))),
        };
        let info = (&raw const *info).cast_mut();
        // SAFETY: each call gets objects that an earlier one has made, attributes that live as long as the call, and a place for its result;
        // libfabric takes offers without changing them.
        unsafe {
            check("fabric", (library.fabric)((*info).fabric_attr, &raw mut nic.fabric, null_mut()))?;
            check("domain", ((*(*nic.fabric).ops).domain)(nic.fabric, info, &raw mut nic.domain, null_mut()))?;
            let ops = &*(*nic.domain).ops;
            let mut attr =
                AvAttr { kind: 0, rx_ctx_bits: 0, count: peers, ep_per_node: 0, name: null(), map_addr: null_mut(), flags: 0 };
            check("address vector", (ops.av_open)(nic.domain, &raw mut attr, &raw mut nic.av, null_mut()))?;
            check("completion queue", nic.open_cq((tx.size + rx.size).clamp(CQ_MIN, CQ_MAX), sleeps))?;
            check("endpoint", (ops.endpoint)(nic.domain, info, &raw mut nic.ep, null_mut()))?;
            let ep = &raw mut (*nic.ep).fid;
            let ep_ops = &*(*ep).ops;
            check("address vector of the endpoint", (ep_ops.bind)(ep, &raw mut (*nic.av).fid, 0))?;
            check("completion queue of the endpoint", (ep_ops.bind)(ep, &raw mut (*nic.cq).fid, FI_TRANSMIT | FI_RECV))?;
            check("endpoint's start", (ep_ops.control)(ep, FI_ENABLE, null_mut()))?;
            let mut name = vec![0u8; NAME_MAX];
            let mut len = name.len();
            check("endpoint's address", ((*(*nic.ep).cm).getname)(ep, name.as_mut_ptr().cast(), &raw mut len))?;
            name.truncate(len);
            nic.name = name.into();
        }
        Ok(nic)
    }

    /// With a descriptor to wait at, if that is wanted and the provider has such.
    ///
    /// # Safety
    /// The domain is open.
    unsafe fn open_cq(&mut self, size: usize, sleeps: bool) -> c_int {
        let open = |nic: &mut Nic, wait_obj| {
            let mut attr =
                CqAttr { size, flags: 0, format: FI_CQ_FORMAT_MSG, wait_obj, signaling_vector: 0, wait_cond: 0, wait_set: null_mut() };
            // SAFETY: as the caller says.
            unsafe { ((*(*nic.domain).ops).cq_open)(nic.domain, &raw mut attr, &raw mut nic.cq, null_mut()) }
        };
        if sleeps && open(self, FI_WAIT_FD) == 0 {
            let mut wait: RawFd = -1;
            // SAFETY: the queue is open; what it writes is an `int`.
            let failed = unsafe {
                let fid = &raw mut (*self.cq).fid;
                ((*(*fid).ops).control)(fid, FI_GETWAIT, (&raw mut wait).cast())
            };
            self.wait = (failed == 0 && wait >= 0).then_some(wait);
            return 0;
        }
        self.cq = null_mut();
        open(self, FI_WAIT_NONE)
    }

    pub fn queues(&self) -> Queues {
        self.queues
    }

    /// Our address, for others to [`insert`](Self::insert).
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn describe(&self, code: isize) -> String {
        self.loaded.describe(code)
    }

    /// Makes the endpoint with this name known.
    ///
    /// # Errors
    /// When that is no address of this provider.
    pub fn insert(&mut self, name: &[u8]) -> Result<Address, String> {
        // Providers read as much as an address of theirs has, whatever we were told.
        let mut whole = [0u8; NAME_MAX];
        if name.len() > NAME_MAX {
            return Err("its address is too long".into());
        }
        whole[..name.len()].copy_from_slice(name);
        let mut address = ANYBODY;
        // SAFETY: the vector is open; an address with room behind it, and a place for its number.
        let inserted = unsafe { ((*(*self.av).ops).insert)(self.av, whole.as_ptr().cast(), 1, &raw mut address, 0, null_mut()) };
        match inserted {
            1 if address != ANYBODY => Ok(address),
            0 | 1 => Err("it is no address".into()),
            failed => Err(self.loaded.describe(-(failed as isize))),
        }
    }

    /// Posts a receive.
    ///
    /// # Safety
    /// `buffer` is `len` bytes that nobody else touches, and `context` the words that libfabric wants of an operation
    /// ([`CONTEXT_WORDS`](super::abi::CONTEXT_WORDS)), until the completion is read or the endpoint [shut](Self::shut). `registration` is of
    /// that memory.
    pub unsafe fn receive(&mut self, buffer: NonNull<u8>, len: usize, registration: &Registration, context: *mut c_void) -> Moved {
        // SAFETY: the endpoint is open, the rest as the caller says.
        Moved::of(unsafe {
            ((*(*self.ep).msg).recv)(self.ep, buffer.as_ptr().cast(), len, registration.descriptor, ANYBODY, context)
        })
    }

    /// Sends a message; its completion tells when the buffer is free.
    ///
    /// # Safety
    /// As for [`receive`](Self::receive), but that the buffer may be read; `to` was inserted.
    #[inline]
    pub unsafe fn send(&mut self, buffer: NonNull<u8>, len: usize, registration: &Registration, to: Address, context: *mut c_void) -> Moved {
        // SAFETY: as above.
        Moved::of(unsafe { ((*(*self.ep).msg).send)(self.ep, buffer.as_ptr().cast(), len, registration.descriptor, to, context) })
    }

    /// Sends a short message, without a completion; its bytes are taken at once.
    ///
    /// # Panics
    /// When it is longer than [`Queues::inject_max`].
    #[inline]
    pub fn inject(&mut self, bytes: &[u8], to: Address) -> Moved {
        assert!(bytes.len() <= self.queues.inject_max);
        // SAFETY: the endpoint is open; a number that was never inserted is an error there.
        Moved::of(unsafe { ((*(*self.ep).msg).inject)(self.ep, bytes.as_ptr().cast(), bytes.len(), to) })
    }

    /// Reads completions, and moves the provider on. Returns those that were there.
    ///
    /// # Errors
    /// Of an operation that failed: the others are to be had by another call.
    #[inline]
    pub fn completions<'e>(&mut self, room: &'e mut [MaybeUninit<Entry>]) -> Result<&'e [Entry], Failed> {
        // SAFETY: the queue is open, its entries have this format.
        let read = unsafe { ((*(*self.cq).ops).read)(self.cq, room.as_mut_ptr().cast(), room.len()) };
        match usize::try_from(read) {
            // SAFETY: so many were written.
            Ok(count) => Ok(unsafe { std::slice::from_raw_parts(room.as_ptr().cast(), count.min(room.len())) }),
            Err(_) if read == -(libc::EAGAIN as isize) => Ok(&[]),
            Err(_) => Err(self.failed(-read)),
        }
    }

    #[cold]
    fn failed(&mut self, code: isize) -> Failed {
        let unknown = |nic: &Nic| Failed { context: null_mut(), what: nic.loaded.describe(code) };
        if code != FI_EAVAIL {
            return unknown(self);
        }
        // SAFETY: all zero is valid: no place for more about the error.
        let mut error: CqError = unsafe { std::mem::zeroed() };
        // SAFETY: the queue is open; room for an error.
        let read = unsafe { ((*(*self.cq).ops).readerr)(self.cq, &raw mut error, 0) };
        if read != 1 {
            return unknown(self);
        }
        let mut what = self.loaded.describe(error.err as isize);
        let mut text = [0; 256];
        // SAFETY: numbers and data of the error just read, and room for its text; it ends.
        let more = unsafe {
            let more = ((*(*self.cq).ops).strerror)(self.cq, error.prov_errno, error.err_data, text.as_mut_ptr(), text.len());
            if more.is_null() { c"" } else { CStr::from_ptr(more) }
        };
        let more = more.to_string_lossy();
        if !more.is_empty() && more != what {
            what = format!("{what} ({more})");
        }
        Failed { context: error.context, what }
    }

    /// Memory for the endpoint's operations. Registers it where the provider demands that.
    ///
    /// # Errors
    /// When it refuses.
    ///
    /// # Safety
    /// The registration goes before the memory does, and before this `Nic`.
    pub unsafe fn register(&mut self, memory: NonNull<u8>, len: usize, access: u64, needed: bool) -> Result<Registration, String> {
        if !needed && self.mr_mode & FI_MR_LOCAL == 0 {
            return Ok(Registration { mr: null_mut(), descriptor: null_mut(), key: 0 });
        }
        self.keys += 1;
        let mut mr = null_mut();
        // SAFETY: the domain is open; the rest as the caller says.
        let failed = unsafe {
            let domain = &raw mut (*self.domain).fid;
            ((*(*self.domain).mr).reg)(domain, memory.as_ptr().cast(), len, access, 0, self.keys, 0, &raw mut mr, null_mut())
        };
        if failed != 0 {
            return Err(format!("{len} bytes of memory: {}", self.loaded.describe(-(failed as isize))));
        }
        // From here on it is closed when something fails.
        let mut registration = Registration { mr, descriptor: null_mut(), key: 0 };
        if self.mr_mode & FI_MR_ENDPOINT != 0 {
            // SAFETY: both are open.
            let failed = unsafe {
                let fid = &raw mut (*mr).fid;
                let ops = &*(*fid).ops;
                match (ops.bind)(fid, &raw mut (*self.ep).fid, 0) {
                    0 => (ops.control)(fid, FI_ENABLE, null_mut()),
                    failed => failed,
                }
            };
            if failed != 0 {
                return Err(format!("memory of the endpoint: {}", self.loaded.describe(-(failed as isize))));
            }
        }
        // SAFETY: it is open.
        unsafe { (registration.descriptor, registration.key) = ((*mr).mem_desc, (*mr).key) };
        Ok(registration)
    }

    /// What becomes readable when there are completions, or the provider has something to do, if [`may_wait`](Self::may_wait) has said so
    /// before; `None` where it has no such thing.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.wait
    }

    /// Whether there is nothing to be read or done, so that the descriptor may be waited for.
    pub fn may_wait(&mut self) -> bool {
        // SAFETY: both objects are open; a list of one.
        unsafe {
            let mut fids: [*mut Fid; 1] = [&raw mut (*self.cq).fid];
            ((*(*self.fabric).ops).trywait)(self.fabric, fids.as_mut_ptr(), 1) == 0
        }
    }

    /// Closes the endpoint: no memory is in its hands any more.
    pub fn shut(&mut self) {
        close(std::mem::replace(&mut self.ep, null_mut()).cast());
    }
}

impl Drop for Nic {
    fn drop(&mut self) {
        // In this order: libfabric closes nothing that others still use.
        for object in [self.ep.cast(), self.cq.cast(), self.av.cast(), self.domain.cast(), self.fabric.cast::<Fid>()] {
            close(object);
        }
    }
}

/// Closes an object, if it is there: none is used afterwards.
fn close(fid: *mut Fid) {
    if !fid.is_null() {
        // SAFETY: an object that libfabric has opened, and that is closed once. All of them begin with a `Fid`.
        unsafe { ((*(*fid).ops).close)(fid) };
    }
}

/// Memory that the provider may use; nothing where it needs no leave for that.
pub struct Registration {
    mr: *mut MrFid,
    descriptor: *mut c_void,
    key: u64,
}

// SAFETY: as for `Nic`.
unsafe impl Send for Registration {}

impl Drop for Registration {
    fn drop(&mut self) {
        close(self.mr.cast());
    }
}

/// Longest address of any provider.
const NAME_MAX: usize = 512;
