//! Reduction operations (MPI 5.0 section 6.9).
//!
//! [`Op`] is predefined or the user's. A predefined one is applied by a kernel chosen by operation and number
//! ([`kernel`]): loops over native numbers ([`native`]), numbers that Rust has no type for ([`soft`], [`long`]), or pairs
//! of value and index ([`pair`]).

pub mod kernel;
mod long;
mod native;
mod pair;
pub mod registry;
pub mod soft;
mod user;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub use registry::Ops;
pub use user::{UserFunction, UserFunctionLarge};

use crate::bail;
use crate::datatype::{Datatype, Group};
use crate::error::Result;

/// The predefined operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    Sum,
    Min,
    Max,
    Prod,
    Band,
    Bor,
    Bxor,
    Land,
    Lor,
    Lxor,
    Minloc,
    Maxloc,
    Replace,
    NoOp,
}

/// Every predefined operation with its ABI handle and its name.
pub const BUILTINS: &[(Builtin, u32, &str)] = &[
    (Builtin::Sum, 0x21, "MPI_SUM"),
    (Builtin::Min, 0x22, "MPI_MIN"),
    (Builtin::Max, 0x23, "MPI_MAX"),
    (Builtin::Prod, 0x24, "MPI_PROD"),
    (Builtin::Band, 0x28, "MPI_BAND"),
    (Builtin::Bor, 0x29, "MPI_BOR"),
    (Builtin::Bxor, 0x2a, "MPI_BXOR"),
    (Builtin::Land, 0x30, "MPI_LAND"),
    (Builtin::Lor, 0x31, "MPI_LOR"),
    (Builtin::Lxor, 0x32, "MPI_LXOR"),
    (Builtin::Minloc, 0x38, "MPI_MINLOC"),
    (Builtin::Maxloc, 0x39, "MPI_MAXLOC"),
    (Builtin::Replace, 0x3c, "MPI_REPLACE"),
    (Builtin::NoOp, 0x3d, "MPI_NO_OP"),
];

impl Builtin {
    pub fn name(self) -> &'static str {
        BUILTINS[self as usize].2
    }

    /// The groups of predefined types that the standard allows (section 6.9.2).
    fn accepts(self, group: Group) -> bool {
        use Builtin::*;
        use Group::*;
        match self {
            Min | Max => matches!(group, CInteger | FortranInteger | Floating | MultiLanguage),
            Sum | Prod => matches!(group, CInteger | FortranInteger | Floating | Complex | MultiLanguage),
            // Beyond the standard, as other MPIs do: programs reduce flags of MPI_AINT and its kin.
            Land | Lor | Lxor => matches!(group, CInteger | Logical | MultiLanguage),
            Band | Bor | Bxor => matches!(group, CInteger | FortranInteger | Byte | MultiLanguage),
            Minloc | Maxloc => group == Pair,
            Replace | NoOp => true,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Function {
    Builtin(Builtin),
    User(UserFunction),
    UserLarge(UserFunctionLarge),
}

/// A reduction operation.
#[derive(Debug)]
pub struct Op {
    function: Function,
    commutative: bool,
    handle: AtomicU32,
}

impl Op {
    pub fn builtin(builtin: Builtin) -> Op {
        let handle = BUILTINS[builtin as usize].1;
        // Which of two replacements comes last is what the result depends on.
        let commutative = !matches!(builtin, Builtin::Replace | Builtin::NoOp);
        Op { function: Function::Builtin(builtin), commutative, handle: AtomicU32::new(handle) }
    }

    /// MPI_Op_create.
    ///
    /// # Safety
    /// `function` keeps the contract of MPI_User_function (section 6.9.5) as long as the operation lives.
    pub unsafe fn user(function: UserFunction, commutative: bool) -> Op {
        Op { function: Function::User(function), commutative, handle: AtomicU32::new(0) }
    }

    /// MPI_Op_create_c.
    ///
    /// # Safety
    /// As for [`Op::user`].
    pub unsafe fn user_large(function: UserFunctionLarge, commutative: bool) -> Op {
        Op { function: Function::UserLarge(function), commutative, handle: AtomicU32::new(0) }
    }

    pub fn is_commutative(&self) -> bool {
        self.commutative
    }

    pub fn is_predefined(&self) -> bool {
        self.as_builtin().is_some()
    }

    pub fn as_builtin(&self) -> Option<Builtin> {
        match self.function {
            Function::Builtin(builtin) => Some(builtin),
            _ => None,
        }
    }

    /// The ABI handle; 0 before it was registered.
    pub fn handle(&self) -> u32 {
        self.handle.load(Relaxed)
    }

    fn set_handle(&self, handle: u32) {
        self.handle.store(handle, Relaxed);
    }

    /// Whether a reduction may use this operation on this type.
    #[inline]
    pub fn check(&self, ty: &Datatype) -> Result<()> {
        let Function::Builtin(builtin) = self.function else {
            return Ok(());
        };
        if matches!(builtin, Builtin::Replace | Builtin::NoOp) {
            bail!(OP, "{} is for one-sided communication only", builtin.name());
        }
        self.check_accumulate(ty)
    }

    /// Whether one-sided accumulation may use this operation on this type (section 12.3.4).
    pub fn check_accumulate(&self, ty: &Datatype) -> Result<()> {
        let Function::Builtin(builtin) = self.function else {
            return Ok(());
        };
        let group = match ty.pair() {
            Some(_) => Some(Group::Pair),
            None => ty.basic().map(|basic| basic.group()),
        };
        match group {
            _ if matches!(builtin, Builtin::Replace | Builtin::NoOp) => Ok(()),
            Some(group) if builtin.accepts(group) => Ok(()),
            Some(_) => bail!(OP, "{} is not defined for {}", builtin.name(), ty.describe()),
            None => bail!(OP, "{} is defined for predefined datatypes only, not for {}", builtin.name(), ty.describe()),
        }
    }

    /// `inout[i] = input[i] op inout[i]`: `input` is the left operand, which matters where the operation does not commute.
    ///
    /// # Safety
    /// `count` items of `ty` are readable at `input` and writable at `inout`, and they do not overlap.
    pub unsafe fn apply(&self, input: *const u8, inout: *mut u8, count: usize, ty: &Arc<Datatype>) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        // SAFETY: the caller's promise; kernels are chosen for exactly this type.
        unsafe {
            match self.function {
                Function::User(function) => user::apply(function, input, inout, count, ty),
                Function::UserLarge(function) => user::apply_large(function, input, inout, count, ty),
                Function::Builtin(Builtin::NoOp) => {}
                Function::Builtin(Builtin::Replace) => {
                    crate::datatype::copy((ty, input, count), (ty, inout, count));
                }
                Function::Builtin(builtin) => match (ty.basic(), ty.pair()) {
                    (Some(basic), None) if builtin.accepts(basic.group()) => {
                        let kernel = kernel::of(builtin, basic.number(), basic.group() == Group::Complex);
                        // A test goes through all of them.
                        let (kernel, per_item) = kernel.expect("every accepted pair of operation and type has a kernel");
                        kernel(input, inout, count * per_item)
                    }
                    (_, Some((value, index))) if builtin.accepts(Group::Pair) => {
                        pair::apply(builtin, value, index, input, inout, count, ty.extent())
                    }
                    _ => return self.check_accumulate(ty),
                },
            }
        }
        Ok(())
    }
}
