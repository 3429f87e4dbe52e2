//! The programs that the simulator loads find the MPI functions in its executable.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic");
}
