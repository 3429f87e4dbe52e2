//! One body for a function and its large-count twin.

use crate::types::{MPI_Aint, MPI_Count};
use mpi_fm::datatype::Form;
use mpi_fm::{Class, Error, Result};
use std::ffi::c_int;

/// The integers that differ between `MPI_X` and `MPI_X_c`: counts (`int` or `MPI_Count`), displacements (`int` or
/// `MPI_Aint`), extents (`MPI_Aint` or `MPI_Count`).
pub trait Count: Copy {
    /// Whose argument it is: `MPI_X`'s or `MPI_X_c`'s. Of interest where no count comes with it that tells.
    const FORM: Form;

    fn get(self) -> i64;

    /// The value in this width; `None` if it does not fit. What then happens depends on the function: `MPI_UNDEFINED` in
    /// `MPI_Get_count`, an error elsewhere.
    fn fit(value: i64) -> Option<Self>;

    /// The value in this width.
    ///
    /// # Errors
    /// `MPI_ERR_VALUE_TOO_LARGE` (MPI 5.0 section 9.4).
    fn put(value: i64) -> Result<Self> {
        Self::fit(value).ok_or_else(|| {
            Error::new(Class::VALUE_TOO_LARGE, format!("{value} does not fit the argument; the _c function has room for it"))
        })
    }
}

macro_rules! counts {
    ($($type:ty: $form:ident;)*) => {$(
        impl Count for $type {
            const FORM: Form = Form::$form;

            #[inline]
            fn get(self) -> i64 {
                self as i64
            }

            #[inline]
            fn fit(value: i64) -> Option<$type> {
                value.try_into().ok()
            }
        }
    )*};
}

counts! { c_int: Int; MPI_Count: Count; MPI_Aint: Int; }
