//! Datatypes by handle.

use std::sync::Arc;

use super::{Basic, Datatype, Predefined};
use crate::bail;
use crate::error::{Class, Error, Result};
use crate::handle::{FIRST_DYNAMIC, Handle, Kind, Table, bad_handle};

/// MPI_DATATYPE_NULL
pub const NULL: Handle = 0x200;

/// One process's datatypes: the predefined ones and those that have a handle.
pub struct Datatypes {
    pub predefined: Predefined,
    table: Table<Datatype>,
}

impl Default for Datatypes {
    fn default() -> Datatypes {
        Datatypes::new()
    }
}

impl Datatypes {
    pub fn new() -> Datatypes {
        Datatypes { predefined: Predefined::new(), table: Table::new(Kind::Datatype) }
    }

    /// A named predefined type.
    #[inline]
    pub fn get(&self, basic: Basic) -> &Arc<Datatype> {
        self.predefined.get(basic)
    }

    /// The datatype that a handle of the user names.
    ///
    /// # Errors
    /// `MPI_ERR_TYPE` when it names none.
    #[inline]
    pub fn lookup(&self, handle: Handle) -> Result<&Arc<Datatype>> {
        let found = if handle >= FIRST_DYNAMIC { self.table.find(handle) } else { self.predefined.of_handle(handle) };
        found.ok_or_else(|| no_datatype(handle))
    }

    /// As [`Datatypes::lookup`], for communication, which needs a committed type (MPI 5.0 section 5.1.9).
    #[inline]
    pub fn committed(&self, handle: Handle) -> Result<&Arc<Datatype>> {
        let ty = self.lookup(handle)?;
        if ty.is_committed() { Ok(ty) } else { Err(not_committed(ty)) }
    }

    /// The type's handle: a new one, unless it has one already, as predefined types do that were asked for before.
    pub fn register(&self, ty: &Arc<Datatype>) -> Result<Handle> {
        if ty.handle() != 0 {
            return Ok(ty.handle());
        }
        let handle = self.table.insert(ty.clone())?;
        match ty.adopt_handle(handle) {
            Ok(()) => Ok(handle),
            // Another thread was asking for the same predefined type, and was quicker.
            Err(other) => self.table.remove(handle).map(|_| other),
        }
    }

    /// Does something for which the type must have a handle that works, though the program may have freed it while a transfer uses the type
    /// (MPI 5.0 section 5.1.9): a reduction function is passed one.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn with_handle<T>(&self, ty: &Arc<Datatype>, action: impl FnOnce() -> T) -> Result<T> {
        if self.lookup(ty.handle()).is_ok_and(|found| Arc::ptr_eq(found, ty)) {
            return Ok(action());
        }
        let (before, handle) = (ty.handle(), self.table.insert(Arc::clone(ty))?);
        ty.set_handle(handle);
        let result = action();
        ty.set_handle(before);
        self.table.remove(handle)?;
        Ok(result)
    }

    /// The derived types that have a handle.
    pub fn derived(&self) -> impl Iterator<Item = &Arc<Datatype>> {
        self.table.iter().map(|(_, ty)| ty).filter(|ty| !ty.is_predefined())
    }

    /// Frees the handle of a derived type; the type lives on in those built from it and in transfers under way.
    pub fn free(&self, handle: Handle) -> Result<Arc<Datatype>> {
        let ty = self.lookup(handle)?;
        if ty.is_predefined() {
            bail!(TYPE, "{} is predefined and cannot be freed", ty.describe());
        }
        self.table.remove(handle)
    }
}

#[cold]
fn no_datatype(handle: Handle) -> Error {
    match handle {
        NULL => Error::new(Class::TYPE, "the datatype is MPI_DATATYPE_NULL"),
        _ => bad_handle(Kind::Datatype, handle),
    }
}

#[cold]
fn not_committed(ty: &Datatype) -> Error {
    Error::new(Class::TYPE, format!("the datatype has not been committed: {}", ty.describe()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::Form;
    use crate::error::Class;

    #[test]
    fn handles_live_until_they_are_freed() {
        let types = Datatypes::new();
        let int = types.lookup(0x209).unwrap();
        assert_eq!(int.name(), "MPI_INT");
        let pair = Datatype::contiguous(Form::Int, 2, int).unwrap();
        let handle = types.register(&pair).unwrap();
        assert_eq!(pair.handle(), handle);
        assert_eq!(types.committed(handle).unwrap_err().class, Class::TYPE);
        types.lookup(handle).unwrap().commit();
        assert!(types.committed(handle).is_ok());
        types.free(handle).unwrap();
        assert!(types.lookup(handle).is_err() && types.free(handle).is_err());
    }

    #[test]
    fn a_freed_type_gets_a_handle_while_one_is_needed() {
        let types = Datatypes::new();
        let pair = Datatype::contiguous(Form::Int, 2, types.get(Basic::MPI_INT)).unwrap();
        let first = types.register(&pair).unwrap();
        assert_eq!(types.with_handle(&pair, || pair.handle()).unwrap(), first);
        types.free(first).unwrap();
        let found = types.with_handle(&pair, || Arc::ptr_eq(types.lookup(pair.handle()).unwrap(), &pair));
        assert!(found.unwrap());
        assert!(types.lookup(pair.handle()).is_err());
    }

    #[test]
    fn predefined_types_keep_one_handle_and_are_not_freed() {
        let types = Datatypes::new();
        assert!(types.free(Basic::MPI_INT.handle()).is_err());
        let once = types.register(&types.predefined.f90_real(10, 10).unwrap()).unwrap();
        let again = types.register(&types.predefined.f90_real(10, 10).unwrap()).unwrap();
        assert_eq!(once, again);
        assert!(types.free(once).is_err());
        assert!(types.lookup(NULL).unwrap_err().text.contains("MPI_DATATYPE_NULL"));
    }
}
