//! Hello, ping-pong and allreduce through the `mpi-sys` crate.
//!
//! `mpi-sys` finds our header by `$MPICC -show` and binds it with libclang: what it makes of `mpi.h`, of handles that are
//! pointers to incomplete structures, and of constants behind casts, is what this program tests.

use std::ffi::c_int;
use std::ptr;

use mpi_sys::*;

fn main() {
    let (mut rank, mut size, mut total) = (-1, 0, 0);
    // SAFETY: the only call of MPI_Init; null arguments are allowed (MPI 5.0 section 11.2.1).
    unsafe {
        MPI_Init(ptr::null_mut(), ptr::null_mut());
        MPI_Comm_rank(RSMPI_COMM_WORLD, &mut rank);
        MPI_Comm_size(RSMPI_COMM_WORLD, &mut size);
    }
    let mine = hello(rank, size) + ping_pong(rank, size) + allreduce(rank, size);
    // SAFETY: both are one integer; nothing of MPI is used after MPI_Finalize.
    unsafe {
        let (from, to) = (ptr::from_ref(&mine).cast(), ptr::from_mut(&mut total).cast());
        MPI_Allreduce(from, to, 1, RSMPI_INT32_T, RSMPI_SUM, RSMPI_COMM_WORLD);
        if rank == 0 && total == 0 {
            println!("No Errors");
        }
        MPI_Finalize();
    }
    std::process::exit(c_int::from(total != 0));
}

/// Each part returns the number of its errors.
fn hello(rank: c_int, size: c_int) -> c_int {
    let mut name = [0u8; 512];
    let mut length = 0;
    // SAFETY: MPI is initialised; the array has more room than MPI_MAX_PROCESSOR_NAME.
    unsafe { MPI_Get_processor_name(name.as_mut_ptr().cast(), &mut length) };
    let name = String::from_utf8_lossy(&name[..length as usize]);
    println!("hello from rank {rank} of {size} on {name}");
    c_int::from(name.is_empty())
}

fn ping_pong(rank: c_int, size: c_int) -> c_int {
    if size < 2 || rank > 1 {
        return 0;
    }
    let mut wrong = 0;
    for words in [1, 100, 100_000] {
        let mut ball = vec![0u64; words];
        for turn in 1..=10 {
            if rank == 0 {
                send(&ball, 1);
                wrong += receive(&mut ball, 1);
            } else {
                wrong += receive(&mut ball, 0);
                ball.iter_mut().for_each(|word| *word += 1);
                send(&ball, 0);
            }
            wrong += c_int::from(ball.iter().any(|&word| word != turn));
        }
    }
    wrong
}

const TAG: c_int = 5;

fn send(ball: &[u64], to: c_int) {
    // SAFETY: MPI is initialised; the buffer has as many words as the count says.
    unsafe { MPI_Send(ball.as_ptr().cast(), ball.len() as c_int, RSMPI_UINT64_T, to, TAG, RSMPI_COMM_WORLD) };
}

fn receive(ball: &mut [u64], from: c_int) -> c_int {
    // SAFETY: a status is plain integers, for which zeros are fine; the buffer has as many words as the count says.
    let status = unsafe {
        let mut status: MPI_Status = std::mem::zeroed();
        let count = ball.len() as c_int;
        MPI_Recv(ball.as_mut_ptr().cast(), count, RSMPI_UINT64_T, from, TAG, RSMPI_COMM_WORLD, &mut status);
        status
    };
    c_int::from(status.MPI_SOURCE != from || status.MPI_TAG != TAG)
}

fn allreduce(rank: c_int, size: c_int) -> c_int {
    let mine = [f64::from(rank), 1.0];
    let mut sum = [0.0; 2];
    // SAFETY: MPI is initialised; both arrays have two doubles.
    unsafe { MPI_Allreduce(mine.as_ptr().cast(), sum.as_mut_ptr().cast(), 2, RSMPI_DOUBLE, RSMPI_SUM, RSMPI_COMM_WORLD) };
    c_int::from(sum != [f64::from(size * (size - 1) / 2), f64::from(size)])
}
