//! The same as client.c, in Rust without any crate. Its own standard library must not clash with the one in the library.

use std::ffi::{c_int, c_void};
use std::process::ExitCode;

unsafe extern "C" {
    fn MPI_Init(argc: *mut c_int, argv: *mut c_void) -> c_int;
    fn MPI_Comm_rank(comm: *mut c_void, rank: *mut c_int) -> c_int;
    fn MPI_Comm_size(comm: *mut c_void, size: *mut c_int) -> c_int;
    fn MPI_Finalize() -> c_int;
}

fn main() -> ExitCode {
    let wanted: c_int = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    // The standard ABI's number of MPI_COMM_WORLD.
    let world = std::ptr::without_provenance_mut(0x101);
    let (mut rank, mut size) = (-1, -1);
    // SAFETY: the functions of the MPI standard, with pointers to integers that live here.
    unsafe {
        MPI_Init(std::ptr::null_mut(), std::ptr::null_mut());
        MPI_Comm_rank(world, &mut rank);
        MPI_Comm_size(world, &mut size);
        MPI_Finalize();
    }
    if size == wanted && (0..size).contains(&rank) {
        return ExitCode::SUCCESS;
    }
    eprintln!("rank {rank} of {size} (wanted {wanted})");
    ExitCode::FAILURE
}
