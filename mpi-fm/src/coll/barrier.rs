//! Barrier by dissemination: in round `k` each member signals the one `2^k` further on and waits for the one `2^k` before it, so
//! that after ⌈log2 n⌉ rounds everyone has heard of everyone (Hensgen, Finkel and Manber, 1988).

use super::cx::Cx;
use crate::buf::Buf;
use crate::datatype::Basic;
use crate::error::Result;

/// Returns when every member of the (local) group has called it.
///
/// # Errors
/// Those of the messages.
pub async fn dissemination(cx: &Cx<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    // SAFETY: no memory is named.
    let nothing = unsafe { Buf::new(std::ptr::null_mut(), 0, cx.process.types.get(Basic::MPI_BYTE)) };
    let mut distance = 1;
    while distance < size {
        let to = (rank + distance) % size;
        let from = (rank + size - distance) % size;
        cx.sendrecv(nothing, to, nothing, from).await?;
        distance *= 2;
    }
    Ok(())
}
