//! Everyone learns something small of everyone: what making a communicator takes.

use crate::buf::Buf;
use crate::coll::Cx;
use crate::datatype::Basic;
use crate::error::Result;

/// A record of fixed size, as the members exchange it.
pub trait Record: Copy {
    const SIZE: usize;
    fn write(&self, to: &mut [u8]);
    fn read(from: &[u8]) -> Self;
}

/// The members of `cx`'s local group that take part, by their ranks, and this process's place among them.
#[derive(Clone, Copy)]
pub struct Members<'m> {
    pub ranks: &'m [usize],
    pub me: usize,
}

/// Gives every member the record of each, in the order of `members.ranks`. Bruck's algorithm: ⌈log2 n⌉ rounds, in which what is known
/// doubles (Bruck et al., 1997).
///
/// # Errors
/// Those of the messages.
pub async fn all<R: Record>(cx: &Cx<'_>, members: Members<'_>, mine: R) -> Result<Vec<R>> {
    let Members { ranks, me } = members;
    let n = ranks.len();
    let mut known = vec![0; n * R::SIZE];
    mine.write(&mut known[..R::SIZE]);
    let mut count = 1;
    while count < n {
        let more = count.min(n - count);
        let (have, rest) = known.split_at_mut(count * R::SIZE);
        let to = ranks[(me + n - count) % n];
        let from = ranks[(me + count) % n];
        cx.sendrecv(bytes(cx, &mut have[..more * R::SIZE]), to, bytes(cx, &mut rest[..more * R::SIZE]), from).await?;
        count += more;
    }
    // Record i is that of the member i places after this one.
    let mut records: Vec<R> = known.chunks_exact(R::SIZE).map(R::read).collect();
    records.rotate_right(me);
    Ok(records)
}

/// Exchanges records with all members of both groups of an intercommunicator. `cx` goes to the remote group, `local` to the own one.
/// Returns those of the local group and those of the remote one.
///
/// # Errors
/// Those of the messages.
pub async fn both_groups<R: Record>(cx: &Cx<'_>, local: &Cx<'_>, mine: R) -> Result<(Vec<R>, Vec<R>)> {
    let ranks: Vec<usize> = (0..local.size()).collect();
    let ours = all(local, Members { ranks: &ranks, me: local.rank() }, mine).await?;
    let mut theirs = vec![0; cx.targets() * R::SIZE];
    if local.rank() == 0 {
        let mut out = pack(&ours);
        cx.sendrecv(bytes(cx, &mut out), 0, bytes(cx, &mut theirs), 0).await?;
    }
    spread(local, 0, &mut theirs).await?;
    Ok((ours, unpack(&theirs)))
}

/// Copies `data` of member `root` to all members: a binomial tree.
///
/// # Errors
/// Those of the messages.
pub async fn spread(cx: &Cx<'_>, root: usize, data: &mut [u8]) -> Result<()> {
    let n = cx.size();
    let place = (cx.rank() + n - root) % n;
    let rank_of = |place: usize| (place + root) % n;
    // The lowest set bit of a place names the parent; bits below it name the children.
    let mut bit = 1;
    while bit < n && place & bit == 0 {
        bit <<= 1;
    }
    if place != 0 {
        cx.recv(bytes(cx, data), rank_of(place - bit)).await?;
    }
    while bit > 1 {
        bit >>= 1;
        if place + bit < n {
            cx.send(bytes(cx, data), rank_of(place + bit)).await?;
        }
    }
    Ok(())
}

pub fn pack<R: Record>(records: &[R]) -> Vec<u8> {
    let mut packed = vec![0; records.len() * R::SIZE];
    for (record, to) in records.iter().zip(packed.chunks_exact_mut(R::SIZE)) {
        record.write(to);
    }
    packed
}

pub fn unpack<R: Record>(packed: &[u8]) -> Vec<R> {
    packed.chunks_exact(R::SIZE).map(R::read).collect()
}

/// A buffer of this process's own.
pub fn bytes<'a>(cx: &Cx<'a>, data: &mut [u8]) -> Buf<'a> {
    // SAFETY: callers keep `data` until the message is complete: every one is awaited before `data` goes.
    unsafe { Buf::new(data.as_mut_ptr(), data.len(), cx.process.types.get(Basic::MPI_BYTE)) }
}
