//! What every communicator (and later window, file, session) carries beside its own matter.

use crate::attr::Attributes;
use crate::constants::MAX_OBJECT_NAME;
use crate::errhandler::Errhandler;
use crate::info::Info;
use parking_lot::Mutex;
use std::sync::Arc;

/// Name, error handler, attributes and hints of an object.
pub struct Attached {
    /// As C gave it: any bytes.
    name: Mutex<Box<[u8]>>,
    errhandler: Mutex<Errhandler>,
    pub attributes: Attributes,
    /// Hints, as `MPI_Comm_get_info` tells them.
    info: Mutex<Arc<Info>>,
}

impl Attached {
    pub fn new(name: &str, errhandler: Errhandler) -> Attached {
        Attached {
            name: Mutex::new(name.as_bytes().into()),
            errhandler: Mutex::new(errhandler),
            attributes: Attributes::new(),
            info: Mutex::new(Arc::new(Info::new())),
        }
    }

    /// For texts.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.name.lock()).into_owned()
    }

    pub fn name_bytes(&self) -> Box<[u8]> {
        self.name.lock().clone()
    }

    /// The beginning of the name, ended by zeroes. Allocates nothing.
    pub fn short_name<const N: usize>(&self) -> [u8; N] {
        let (name, mut short) = (self.name.lock(), [0; N]);
        let len = name.len().min(N);
        short[..len].copy_from_slice(&name[..len]);
        short
    }

    /// A longer name than `MPI_MAX_OBJECT_NAME` has room for is cut (MPI 5.0 section 7.8).
    pub fn set_name(&self, name: &[u8]) {
        *self.name.lock() = name[..name.len().min(MAX_OBJECT_NAME - 1)].into();
    }

    pub fn errhandler(&self) -> Errhandler {
        *self.errhandler.lock()
    }

    pub fn info(&self) -> Arc<Info> {
        self.info.lock().clone()
    }

    pub fn set_info(&self, info: Arc<Info>) {
        *self.info.lock() = info;
    }

    pub fn set_errhandler(&self, errhandler: Errhandler) {
        *self.errhandler.lock() = errhandler;
    }
}
