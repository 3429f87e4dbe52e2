//! What every communicator (and later window, file, session) carries beside its own matter.

use crate::errhandler::Errhandler;
use parking_lot::Mutex;

/// Name and error handler of an object.
pub struct Attached {
    name: Mutex<String>,
    errhandler: Mutex<Errhandler>,
}

impl Attached {
    pub fn new(name: &str, errhandler: Errhandler) -> Attached {
        Attached { name: Mutex::new(name.to_owned()), errhandler: Mutex::new(errhandler) }
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

    pub fn set_errhandler(&self, errhandler: Errhandler) {
        *self.errhandler.lock() = errhandler;
    }
}
