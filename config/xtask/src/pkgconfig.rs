//! The pkg-config files, for build systems that ask pkg-config rather than the compiler wrapper.
//!
//! `mpi-c` and `mpi-cxx` are the names that CMake's FindMPI looks for, `mpi` the one people type. We do not install files
//! named after other implementations (`mpich.pc`, `ompi-c.pc`): in a shared prefix they would shadow the real ones.

use crate::repo::VERSION;

/// Name without `.pc`, and what it is for.
const FILES: [(&str, &str); 3] = [("mpi", "C and C++"), ("mpi-c", "C"), ("mpi-cxx", "C++")];

/// The files' names and contents. `${pcfiledir}` makes them right wherever the prefix is moved to.
pub fn files() -> impl Iterator<Item = (String, String)> {
    FILES.into_iter().map(|(name, languages)| {
        let text = format!(
            "prefix=${{pcfiledir}}/../..\n\
             includedir=${{prefix}}/include\n\
             libdir=${{prefix}}/lib\n\
             \n\
             Name: HPVM MPI\n\
             Description: MPI for {languages} on Fast Messages, with the MPI standard ABI\n\
             Version: {VERSION}\n\
             Cflags: -I${{includedir}}\n\
             Libs: -L${{libdir}} -Wl,-rpath,${{libdir}} -lmpi_abi\n"
        );
        (format!("{name}.pc"), text)
    })
}
