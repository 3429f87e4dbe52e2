//! The constructors of MPI 5.0 section 5.1.2, 5.1.7 and MPI_Type_dup. Each takes [`Form`], so that the arguments are
//! given back by MPI_Type_get_contents as the twin that was called took them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::layout::Placed;
use super::shape::{Block, Shape};
use super::signature::Signature;
use super::{Combiner, Contents, Datatype, Form};
use crate::bail;
use crate::error::Result;

fn check_count(what: &str, count: i64) -> Result<()> {
    if count < 0 {
        bail!(COUNT, "{what} is {count}, it must not be negative");
    }
    Ok(())
}

fn check_lengths(lengths: &[i64]) -> Result<()> {
    match lengths.iter().position(|&n| n < 0) {
        Some(i) => bail!(ARG, "block length {i} is {}, it must not be negative", lengths[i]),
        None => Ok(()),
    }
}

/// `displacement` items as bytes.
fn scaled(displacement: i64, old: &Datatype) -> Result<i64> {
    match displacement.checked_mul(old.extent()) {
        Some(bytes) => Ok(bytes),
        None => bail!(ARG, "displacement {displacement} of an extent of {} bytes is outside of 64 bits", old.extent()),
    }
}

fn all_scaled(displacements: &[i64], old: &Datatype) -> Result<Vec<i64>> {
    displacements.iter().map(|&d| scaled(d, old)).collect()
}

impl Datatype {
    pub fn contiguous(form: Form, count: i64, old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        check_count("the count", count)?;
        let contents = Contents::new(Combiner::Contiguous, vec![old.clone()]).counts(form, &[count]);
        Datatype::blocks(&[(0, count, old)], contents)
    }

    pub fn vector(form: Form, count: i64, length: i64, stride: i64, old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Vector, vec![old.clone()]).counts(form, &[count, length, stride]);
        strided(count, length, scaled(stride, old)?, old, contents)
    }

    pub fn hvector(form: Form, count: i64, length: i64, stride: i64, old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Hvector, vec![old.clone()]);
        let contents = contents.counts(form, &[count, length]).bytes(form, &[stride]);
        strided(count, length, stride, old, contents)
    }

    pub fn indexed(form: Form, lengths: &[i64], disps: &[i64], old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Indexed, vec![old.clone()]);
        let contents = contents.counts(form, &[lengths.len() as i64]).counts(form, lengths).counts(form, disps);
        listed(lengths.iter().copied(), &all_scaled(disps, old)?, old, contents)
    }

    pub fn hindexed(form: Form, lengths: &[i64], disps: &[i64], old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Hindexed, vec![old.clone()]);
        let contents = contents.counts(form, &[lengths.len() as i64]).counts(form, lengths).bytes(form, disps);
        listed(lengths.iter().copied(), disps, old, contents)
    }

    pub fn indexed_block(form: Form, length: i64, disps: &[i64], old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::IndexedBlock, vec![old.clone()]);
        let contents = contents.counts(form, &[disps.len() as i64, length]).counts(form, disps);
        listed(std::iter::repeat_n(length, disps.len()), &all_scaled(disps, old)?, old, contents)
    }

    pub fn hindexed_block(form: Form, length: i64, disps: &[i64], old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::HindexedBlock, vec![old.clone()]);
        let contents = contents.counts(form, &[disps.len() as i64, length]).bytes(form, disps);
        listed(std::iter::repeat_n(length, disps.len()), disps, old, contents)
    }

    pub fn structure(form: Form, lengths: &[i64], disps: &[i64], types: &[Arc<Datatype>]) -> Result<Arc<Datatype>> {
        check_lengths(lengths)?;
        let contents = Contents::new(Combiner::Struct, types.to_vec());
        let contents = contents.counts(form, &[lengths.len() as i64]).counts(form, lengths).bytes(form, disps);
        let blocks: Vec<_> =
            lengths.iter().zip(disps).zip(types).map(|((&length, &disp), ty)| (disp, length, &**ty)).collect();
        assert!(blocks.len() == lengths.len() && lengths.len() == disps.len(), "arrays of one length");
        Datatype::blocks(&blocks, contents)
    }

    pub fn resized(form: Form, old: &Arc<Datatype>, lb: i64, extent: i64) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Resized, vec![old.clone()]).bytes(form, &[lb, extent]);
        Datatype::derived(old.shape.resized(lb, extent)?, old.layout.clone(), old.signature.clone(), contents)
    }

    /// A duplicate is committed if the original is (MPI 5.0 section 5.1.10); attributes are the caller's business.
    pub fn dup(old: &Arc<Datatype>) -> Result<Arc<Datatype>> {
        let contents = Contents::new(Combiner::Dup, vec![old.clone()]);
        let ty = Datatype::derived(old.shape, old.layout.clone(), old.signature.clone(), contents)?;
        let mut ty = Arc::into_inner(ty).expect("nobody else has seen it");
        ty.basic = old.basic;
        ty.committed.store(old.is_committed(), Relaxed);
        Ok(Arc::new(ty))
    }

    /// A type of blocks `(displacement in bytes, copies, type)`: what all these constructors come down to.
    fn blocks(blocks: &[(i64, i64, &Datatype)], contents: Contents) -> Result<Arc<Datatype>> {
        let shape = Shape::join(blocks.iter().map(|&(disp, count, ty)| Block { disp, count, shape: &ty.shape }))?;
        // Neighbours that are alike share one node, so that even distances between them are recognised.
        let mut last: Option<(i64, *const Datatype, Placed)> = None;
        let layout = Placed::sequence(blocks.iter().map(|&(disp, count, ty)| {
            let node = match &last {
                Some((n, t, node)) if *n == count && std::ptr::eq(*t, ty) => node.clone(),
                _ => ty.layout.repeated(count as u64, ty.shape.extent),
            };
            let placed = node.moved(disp);
            last = Some((count, ty, node));
            placed
        }));
        let signature = Signature::sequence(blocks.iter().map(|&(_, count, ty)| (count as u64, ty.signature.clone())));
        Datatype::derived(shape, layout, signature, contents)
    }
}

fn strided(count: i64, length: i64, stride: i64, old: &Arc<Datatype>, contents: Contents) -> Result<Arc<Datatype>> {
    check_count("the count", count)?;
    check_lengths(&[length])?;
    // The block as a shape of its own; the next copy lies a stride after it, whatever its extent.
    let block = Shape::join([Block { disp: 0, count: length, shape: &old.shape }])?;
    let copies = |i: i64| Block { disp: i, count: (count > 0) as i64, shape: &block };
    let Some(last) = (count - 1).max(0).checked_mul(stride) else {
        bail!(VALUE_TOO_LARGE, "{count} blocks {stride} bytes apart do not fit 64 bits");
    };
    // First and last block bound all between them.
    let bounds = Shape::join([copies(0), copies(last)])?;
    let Some(size) = block.size.checked_mul(count) else {
        bail!(VALUE_TOO_LARGE, "{count} blocks of {} bytes of data do not fit 64 bits", block.size);
    };
    let shape = Shape { size, ..bounds };
    let layout = old.layout.repeated(length as u64, old.extent()).repeated(count as u64, stride);
    let n = if size == 0 { 0 } else { count as u64 * length as u64 };
    Datatype::derived(shape, layout, Signature::repeated(&old.signature, n), contents)
}

fn listed(
    lengths: impl Iterator<Item = i64> + Clone,
    disps: &[i64],
    old: &Arc<Datatype>,
    contents: Contents,
) -> Result<Arc<Datatype>> {
    if let Some((i, n)) = lengths.clone().enumerate().find(|(_, n)| *n < 0) {
        bail!(ARG, "block length {i} is {n}, it must not be negative");
    }
    let blocks: Vec<_> = lengths.zip(disps).map(|(length, &disp)| (disp, length, &**old)).collect();
    assert_eq!(blocks.len(), disps.len(), "arrays of one length");
    Datatype::blocks(&blocks, contents)
}
