//! Attributes: values that programs and libraries attach to communicators, datatypes and windows (MPI 5.0 section 7.7).
//!
//! - [`keyval`]: keys, with the callbacks that copy and delete values
//! - this file: the [`Attributes`] of one object
//! - [`predefined`]: what the library itself attaches
//!
//! Callbacks are the program's and may call MPI again, on the same object too. So no lock is held while one runs, and an
//! attribute is taken out before its delete callback starts: nobody can delete it twice.

pub mod keyval;
pub mod predefined;

#[cfg(test)]
mod tests;

use crate::error::{Class, Error, Result};
use keyval::{Copying, Keyval};
pub use keyval::{Keyvals, Kind};
use parking_lot::Mutex;
pub use predefined::Predefined;
use std::sync::Arc;

/// An attribute's value: a pointer of the program's, which the engine only hands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value(pub usize);

/// The handle of the object as callbacks get it: the engine only hands it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Object(pub usize);

/// A callback's error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed(pub i32);

/// The attributes of one object, in the order in which they were set.
#[derive(Default)]
pub struct Attributes {
    list: Mutex<Vec<Attribute>>,
}

/// Holds its keyval: a key that the program has freed lives on until the last attribute under it is gone.
struct Attribute {
    keyval: Arc<Keyval>,
    value: Value,
}

impl Attributes {
    pub fn new() -> Attributes {
        Attributes::default()
    }

    pub fn get(&self, keyval: &Keyval) -> Option<Value> {
        let list = self.list.lock();
        list.iter().find(|attribute| attribute.keyval.number == keyval.number).map(|attribute| attribute.value)
    }

    /// Sets a value. One that is there already is deleted first, with its callback; if that fails it stays.
    pub fn set(&self, object: Object, keyval: Arc<Keyval>, value: Value) -> Result<()> {
        self.delete(object, &keyval)?;
        self.list.lock().push(Attribute { keyval, value });
        Ok(())
    }

    /// Deletes a value with its callback; if that fails it stays. Without a value nothing happens.
    pub fn delete(&self, object: Object, keyval: &Keyval) -> Result<()> {
        let index = |list: &[Attribute]| list.iter().position(|attribute| attribute.keyval.number == keyval.number);
        self.delete_found(object, index).map(drop)
    }

    /// Deletes all values, the latest first, until a callback fails. For an object that is being freed: MPI fixes this order
    /// for `MPI_COMM_SELF` at `MPI_Finalize` (section 11.2.4), and what was set later may depend on what was set before.
    pub fn clear(&self, object: Object) -> Result<()> {
        while self.delete_found(object, |list| list.len().checked_sub(1))? {}
        Ok(())
    }

    /// Whether one was found.
    fn delete_found(&self, object: Object, find: impl FnOnce(&[Attribute]) -> Option<usize>) -> Result<bool> {
        let (index, attribute) = {
            let mut list = self.list.lock();
            match find(&list) {
                Some(index) => (index, list.remove(index)),
                None => return Ok(false),
            }
        };
        if let Err(failed) = attribute.keyval.delete(object, attribute.value) {
            let error = attribute.failed("delete", failed);
            let mut list = self.list.lock();
            let index = index.min(list.len());
            list.insert(index, attribute);
            return Err(error);
        }
        Ok(true)
    }

    /// Gives a fresh duplicate of `object` the attributes that the copy callbacks decide on (`MPI_Comm_dup`, `MPI_Type_dup`).
    ///
    /// If one fails, what was copied before is deleted again, with callbacks that get `duplicate`.
    pub fn copy_to(&self, object: Object, copies: &Attributes, duplicate: Object) -> Result<()> {
        let originals: Vec<(Arc<Keyval>, Value)> =
            self.list.lock().iter().map(|attribute| (attribute.keyval.clone(), attribute.value)).collect();
        for (keyval, value) in originals {
            let copy = match &keyval.copying {
                Copying::Never => None,
                Copying::Same => Some(value),
                Copying::Call(copy) => match copy(object, keyval.number, value) {
                    Ok(copy) => copy,
                    Err(failed) => {
                        // The first failure is the one to report.
                        let _ = copies.clear(duplicate);
                        return Err(Attribute { keyval, value }.failed("copy", failed));
                    }
                },
            };
            if let Some(value) = copy {
                copies.list.lock().push(Attribute { keyval, value });
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = self.list.lock();
        f.debug_map().entries(list.iter().map(|attribute| (attribute.keyval.number, attribute.value))).finish()
    }
}

impl Attribute {
    fn failed(&self, callback: &str, Failed(code): Failed) -> Error {
        let text =
            format!("the {callback} callback of attribute key {} returned error code {code}", self.keyval.number);
        Error::new(Class(code), text)
    }
}
