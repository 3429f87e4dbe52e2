//! Files of libfabric's shared-memory provider. It makes one in `/dev/shm` for each endpoint, finds its peers' by name at first contact, and
//! removes its own when the endpoint is closed: that of a process which is killed stays.
//!
//! So the processes of a job greet each other when they start. When all have, everybody has mapped everybody's file, and each removes its own
//! name: the memory goes with the last who has it mapped.

use std::ffi::CStr;

/// The provider that has files.
pub const PROVIDER: &str = "shm";

/// Removes the file of the endpoint with this address.
pub fn remove(address: &[u8]) {
    // Behind `fi_shm://`, and ends with a NUL.
    let start = address.windows(3).position(|bytes| bytes == b"://").map_or(0, |at| at + 3);
    if let Ok(name) = CStr::from_bytes_until_nul(&address[start..])
        && !name.is_empty()
    {
        // SAFETY: a name that ends. That it is gone already is no fault.
        unsafe { libc::shm_unlink(name.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_address_names_its_file() {
        let name = format!("hpvm-via-test-{}", std::process::id());
        let file = Path::new("/dev/shm").join(&name);
        for address in [format!("fi_shm://{name}\0\0"), format!("{name}\0"), format!("fi_shm://{name}\0rest")] {
            std::fs::write(&file, "").unwrap();
            remove(address.as_bytes());
            assert!(!file.exists(), "{address:?}");
        }
        for other in [&b""[..], b"fi_shm://\0", b"fi_shm://no end"] {
            remove(other);
        }
    }
}
