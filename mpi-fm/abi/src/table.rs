//! The table of all functions: one row per function, one file per chapter of the standard.
//!
//! ```text
//! fn MPI_Send | MPI_Send_c(buf: *const c_void, count: N, …, comm: MPI_Comm) = p2p::send;
//! fn MPI_Initialized(flag: *mut c_int) = env::initialized, any_time;
//! fn MPI_Wtime() -> c_double = env::wtime;
//! fn MPI_Win_fence(assert: c_int, win: MPI_Win) = unsupported;
//! ```
//!
//! A row becomes the strong symbol `PMPI_X` and, at the same address, the weak symbol `MPI_X`: the profiling interface (MPI 5.0
//! section 15.2). It is an `extern "C"` function that goes through [`enter`](crate::enter), which runs the body:
//!
//! | row | body |
//! |---|---|
//! | `fn … = body;` | `unsafe fn body(rank: &Rank, …) -> Result<()>` |
//! | `fn … = body, any_time;` | `unsafe fn body(instance: &Instance, …) -> Result<()>`, also before initialisation and after finalisation |
//! | `fn … = body, tool;` | `unsafe fn body(instance: &Instance, …) -> tools::Result<()>`: the tool interface, whose errors are codes |
//! | `fn … -> T = body;` | `unsafe fn body(instance: &Instance, …) -> T`, at any time, cannot fail |
//! | `fn … = unsupported;` | none yet: raises `MPI_ERR_UNSUPPORTED_OPERATION` |
//!
//! Behind `|` stands the large-count twin. Its parameters are those of the row with wider `N`, `D` and `A`, so a body for both is
//! generic over [`Count`](crate::count::Count):
//!
//! | | `MPI_X` | `MPI_X_c` | |
//! |---|---|---|---|
//! | `N` | `int` | `MPI_Count` | counts |
//! | `D` | `int` | `MPI_Aint` | displacements of the v and w collectives, displacement units |
//! | `A` | `MPI_Aint` | `MPI_Count` | extents and byte displacements of datatypes |
//!
//! The table is also data ([`rows`]): from it a test prints the C prototypes that the compiler compares with `mpi.h`, and
//! `docs/coverage.md` is made.

/// A function as the table has it.
pub struct Row {
    pub name: &'static str,
    /// The large-count form of the row above it.
    pub large: bool,
    /// C type names as Rust spells them; empty: `int`.
    pub returns: &'static str,
    /// Name and type of each parameter.
    pub params: &'static [(&'static str, &'static str)],
    /// False: raises `MPI_ERR_UNSUPPORTED_OPERATION`.
    pub built: bool,
    pub entry: Entry,
}

/// Address of a function.
pub struct Entry(pub *const ());

// SAFETY: code is shared by all threads.
unsafe impl Sync for Entry {}

/// The rows of one file.
pub struct Chapter {
    pub title: &'static str,
    /// In the MPI standard 5.0.
    pub section: &'static str,
    /// Each with its large-count twin, if it has one.
    pub rows: &'static [(Row, Option<Row>)],
}

/// What every chapter's file needs.
mod prelude {
    pub use crate::types::*;
    pub use std::ffi::{c_char, c_double, c_int, c_void};
}

macro_rules! table {
    (
        $title:literal, $section:literal;
        $(
            fn $name:ident $(| $large:ident)? ($($params:tt)*) $(-> $returns:ident)? = $($body:ident)::+ $(, $when:ident)?;
        )*
    ) => {
        #[allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments)]
        pub mod int {
            use super::*;
            #[allow(dead_code)]
            type N = c_int;
            #[allow(dead_code)]
            type D = c_int;
            #[allow(dead_code)]
            type A = MPI_Aint;
            $(function! { $name ($($params)*) [$($returns)?] [$($body)::+] [$($when)?] })*
        }

        #[allow(non_snake_case, unused_imports, clippy::missing_safety_doc, clippy::too_many_arguments)]
        pub mod large {
            use super::*;
            #[allow(dead_code)]
            type N = MPI_Count;
            #[allow(dead_code)]
            type D = MPI_Aint;
            #[allow(dead_code)]
            type A = MPI_Count;
            $(twin! { [$($large)?] ($($params)*) [$($returns)?] [$($body)::+] [$($when)?] })*
        }

        pub const CHAPTER: $crate::table::Chapter = $crate::table::Chapter {
            title: $title,
            section: $section,
            rows: &[$((
                row!(int $name ($($params)*) [$($returns)?] $($body)::+),
                twin_row!([$($large)?] ($($params)*) [$($returns)?] $($body)::+),
            ),)*],
        };
    };
}

/// The entry points of one row: `PMPI_X`, and `MPI_X` as a weak name for it.
macro_rules! function {
    ($name:ident ($($param:ident : $type:ty),* $(,)?) [] [unsupported] [$($when:ident)?]) => {
        #[unsafe(export_name = concat!("P", stringify!($name)))]
        pub unsafe extern "C" fn $name($($param: $type),*) -> c_int {
            const CALL: $crate::enter::Call = $crate::enter::Call::named(stringify!($name));
            $crate::enter::unsupported(CALL, $crate::enter::object_of!($($param),*))
        }
        weak_name!($name);
    };
    ($name:ident ($($param:ident : $type:ty),* $(,)?) [] [$($body:ident)::+] []) => {
        #[unsafe(export_name = concat!("P", stringify!($name)))]
        pub unsafe extern "C" fn $name($($param: $type),*) -> c_int {
            const CALL: $crate::enter::Call = $crate::enter::Call::named(stringify!($name));
            $crate::enter::enter(
                CALL,
                || $crate::enter::object_of!($($param),*),
                // SAFETY: the caller passes what the standard asks for; bodies check what can be checked.
                |rank| unsafe { $($body)::+(rank, $($param),*) },
            )
        }
        weak_name!($name);
    };
    ($name:ident ($($param:ident : $type:ty),* $(,)?) [] [$($body:ident)::+] [any_time]) => {
        #[unsafe(export_name = concat!("P", stringify!($name)))]
        pub unsafe extern "C" fn $name($($param: $type),*) -> c_int {
            const CALL: $crate::enter::Call = $crate::enter::Call::named(stringify!($name));
            $crate::enter::enter_any_time(
                CALL,
                || $crate::enter::object_of!($($param),*),
                // SAFETY: as above.
                |instance| unsafe { $($body)::+(instance, $($param),*) },
            )
        }
        weak_name!($name);
    };
    ($name:ident ($($param:ident : $type:ty),* $(,)?) [] [$($body:ident)::+] [tool]) => {
        #[unsafe(export_name = concat!("P", stringify!($name)))]
        pub unsafe extern "C" fn $name($($param: $type),*) -> c_int {
            // SAFETY: as above.
            $crate::enter::enter_tool(|instance| unsafe { $($body)::+(instance, $($param),*) })
        }
        weak_name!($name);
    };
    ($name:ident ($($param:ident : $type:ty),* $(,)?) [$returns:ident] [$($body:ident)::+] []) => {
        #[unsafe(export_name = concat!("P", stringify!($name)))]
        pub unsafe extern "C" fn $name($($param: $type),*) -> $returns {
            // SAFETY: as above.
            unsafe { $($body)::+($crate::instance::current(), $($param),*) }
        }
        weak_name!($name);
    };
}

macro_rules! weak_name {
    ($name:ident) => {
        std::arch::global_asm!(
            concat!(".weak ", stringify!($name)),
            concat!(".set ", stringify!($name), ", {}"),
            sym $name
        );
    };
}

macro_rules! twin {
    ([] $($row:tt)*) => {};
    ([$large:ident] $($row:tt)*) => { function! { $large $($row)* } };
}

macro_rules! row {
    ($width:ident $name:ident ($($param:ident : $type:ty),* $(,)?) [$($returns:ident)?] $($body:ident)::+) => {
        $crate::table::Row {
            name: stringify!($name),
            large: matches!(stringify!($width).as_bytes(), b"large"),
            returns: concat!($(stringify!($returns))?),
            params: &[$((stringify!($param), stringify!($type))),*],
            built: built!($($body)::+),
            entry: $crate::table::Entry($width::$name as *const ()),
        }
    };
}

macro_rules! twin_row {
    ([] $($row:tt)*) => { None };
    ([$large:ident] $($row:tt)*) => { Some(row!(large $large $($row)*)) };
}

macro_rules! built {
    (unsupported) => { false };
    ($($body:ident)::+) => { true };
}

macro_rules! chapters {
    ($($file:ident)*) => {
        $(mod $file;)*

        /// The chapters, in the standard's order.
        pub static CHAPTERS: &[Chapter] = &[$($file::CHAPTER),*];
    };
}

chapters! {
    p2p request buffer status
    part
    datatype
    coll icoll pcoll op
    group comm attr
    topo neighbor
    env error
    info
    session process
    rma
    external
    io
    tools
    deprecated removed fortran abi
}

/// All functions.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    CHAPTERS.iter().flat_map(|chapter| chapter.rows).flat_map(|(row, twin)| std::iter::once(row).chain(twin))
}

/// Makes a program that links this crate keep every entry point, so that what it loads finds them.
///
/// Returns how many there are.
pub fn keep() -> usize {
    rows().filter(|row| !std::hint::black_box(row.entry.0).is_null()).count()
}
