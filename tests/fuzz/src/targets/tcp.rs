//! TCP between nodes. The device's parts are its own: it brings what drives them (`devices/ip/src/fuzz.rs`), in builds for this program only.

#[cfg(fuzzing)]
pub fn run(data: &[u8]) {
    hpvm_ip::fuzz::run(data);
}

#[cfg(fuzzing)]
pub fn seeds() -> Vec<Vec<u8>> {
    hpvm_ip::fuzz::seeds()
}

#[cfg(not(fuzzing))]
pub fn run(_: &[u8]) {}

#[cfg(not(fuzzing))]
pub fn seeds() -> Vec<Vec<u8>> {
    vec![Vec::new()]
}
