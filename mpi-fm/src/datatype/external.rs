//! external32, the canonical representation (MPI 5.0 section 14.5.2): big-endian, with sizes of its own.

use super::basic::Basic;

/// Bytes of a basic element (a pair: of both parts) in external32.
pub fn size(basic: Basic) -> u64 {
    match (basic, basic.row().pair) {
        (_, Some((value, index))) => size(value) + size(index),
        (Basic::MPI_WCHAR, _) => 2,
        (Basic::MPI_LONG | Basic::MPI_UNSIGNED_LONG, _) => 4,
        _ => basic.size(),
    }
}
