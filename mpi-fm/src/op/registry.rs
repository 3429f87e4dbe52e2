//! Operations by handle.

use std::sync::Arc;

use super::{BUILTINS, Builtin, Op};
use crate::bail;
use crate::error::Result;
use crate::handle::{FIRST_DYNAMIC, Handle, Kind, Table, bad_handle};

/// MPI_OP_NULL
pub const NULL: Handle = 0x20;

/// One process's operations: the predefined ones and the user's.
pub struct Ops {
    predefined: Vec<Arc<Op>>,
    table: Table<Op>,
}

impl Default for Ops {
    fn default() -> Ops {
        Ops::new()
    }
}

impl Ops {
    pub fn new() -> Ops {
        let predefined = BUILTINS.iter().map(|&(builtin, ..)| Arc::new(Op::builtin(builtin))).collect();
        Ops { predefined, table: Table::new(Kind::Op) }
    }

    pub fn get(&self, builtin: Builtin) -> &Arc<Op> {
        &self.predefined[builtin as usize]
    }

    /// The operation that a handle of the user names.
    ///
    /// # Errors
    /// `MPI_ERR_OP` when it names none.
    pub fn lookup(&self, handle: Handle) -> Result<&Arc<Op>> {
        if handle >= FIRST_DYNAMIC {
            return self.table.get(handle);
        }
        match BUILTINS.iter().position(|&(_, h, _)| h == handle) {
            Some(at) => Ok(&self.predefined[at]),
            None if handle == NULL => bail!(OP, "the operation is MPI_OP_NULL"),
            None => Err(bad_handle(Kind::Op, handle)),
        }
    }

    pub fn register(&self, op: Op) -> Result<Handle> {
        self.table.insert_with(|handle| {
            op.set_handle(handle);
            Arc::new(op)
        })
    }

    /// How many operations of the user have a handle.
    pub fn users(&self) -> usize {
        self.table.iter().count()
    }

    /// Frees the handle of a user's operation; the operation lives on in reductions under way.
    pub fn free(&self, handle: Handle) -> Result<Arc<Op>> {
        if let Some(builtin) = self.lookup(handle)?.as_builtin() {
            bail!(OP, "{} is predefined and cannot be freed", builtin.name());
        }
        self.table.remove(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_operations_are_found_and_not_freed() {
        let ops = Ops::new();
        for &(builtin, handle, _) in BUILTINS {
            assert_eq!(ops.lookup(handle).unwrap().as_builtin(), Some(builtin));
            assert_eq!(ops.get(builtin).handle(), handle);
            assert!(ops.free(handle).is_err());
        }
        assert!(ops.lookup(NULL).unwrap_err().text.contains("MPI_OP_NULL"));
        assert!(ops.lookup(0x25).is_err());
    }
}
