//! The names of the MPI functions, so that a launcher can say which call a rank was in.
//!
//! A rank's status line holds a 16-bit index into [`NAMES`]; the launcher, which knows nothing else
//! of MPI, turns it back into a name. The list is that of the standard ABI's functions (MPI 5.0,
//! chapter 20) together with the removed MPI-1 functions and the `c2f`/`f2c` conversions, in byte
//! order, so that [`index_of`] is a binary search that also works at compile time.

mod list;

pub use list::NAMES;

/// What a status line holds before the first MPI call, and for an index that names nothing.
pub const NONE: u16 = u16::MAX;

/// The index of an MPI function's name, or `None` for a name that is not in the list.
pub const fn index_of(name: &str) -> Option<u16> {
    let (mut low, mut high) = (0, NAMES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(name.as_bytes(), NAMES[middle].as_bytes()) {
            0 => return Some(middle as u16),
            order if order < 0 => high = middle,
            _ => low = middle + 1,
        }
    }
    None
}

/// The name at an index, if there is one.
pub fn name(index: u16) -> Option<&'static str> {
    NAMES.get(usize::from(index)).copied()
}

/// `Ord::cmp` on slices is not `const`; this is, and that is its only purpose.
const fn compare(a: &[u8], b: &[u8]) -> i32 {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] as i32 - b[at] as i32;
        }
        at += 1;
    }
    if a.len() == b.len() {
        0
    } else if a.len() < b.len() {
        -1
    } else {
        1
    }
}

const _: () = assert!(NAMES.len() < NONE as usize, "an index has to fit its 16 bits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_strictly_ascending() {
        for pair in NAMES.windows(2) {
            assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn every_name_is_found_at_its_own_index() {
        for (index, text) in NAMES.iter().enumerate() {
            assert_eq!(index_of(text), Some(index as u16));
            assert_eq!(name(index as u16), Some(*text));
        }
    }

    #[test]
    fn other_names_are_not_found() {
        for text in ["", "MPI", "MPI_", "MPI_Sendx", "PMPI_Send", "zzz"] {
            assert_eq!(index_of(text), None);
        }
        assert_eq!(name(NONE), None);
    }

    #[test]
    fn an_index_can_be_computed_at_compile_time() {
        const RECV: Option<u16> = index_of("MPI_Recv");
        assert_eq!(RECV.and_then(name), Some("MPI_Recv"));
    }
}
