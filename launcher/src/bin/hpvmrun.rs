//! `hpvmrun`, also installed as `mpiexec` and `mpirun`. All of it is in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hpvm_launcher::run::main())
}
