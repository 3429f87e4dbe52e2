//! What every communicator (and later window, file, session) carries beside its own matter.

use crate::attr::Attributes;
use crate::errhandler::Errhandler;
use crate::info::Info;
use parking_lot::Mutex;
use std::sync::Arc;

/// Name, error handler, attributes and hints of an object.
pub struct Attached {
    name: Mutex<String>,
    errhandler: Mutex<Errhandler>,
    pub attributes: Attributes,
    /// Hints, as `MPI_Comm_get_info` tells them.
    info: Mutex<Arc<Info>>,
}

impl Attached {
    pub fn new(name: &str, errhandler: Errhandler) -> Attached {
        Attached {
            name: Mutex::new(name.to_owned()),
            errhandler: Mutex::new(errhandler),
            attributes: Attributes::new(),
            info: Mutex::new(Arc::new(Info::new())),
        }
    }

    pub fn name(&self) -> String {
        self.name.lock().clone()
    }

    pub fn set_name(&self, name: &str) {
        name.clone_into(&mut self.name.lock());
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
