//! The type signature (MPI 5.0 section 5.1): which basic elements, in which order, without their places.
//!
//! Kept as a tree like the layout, of the size of the description, with running sums of bytes and elements: it answers
//! MPI_Get_elements in both directions, names what a type is made of, and drives the conversion to external32.

use std::sync::Arc;

use super::basic::Basic;
use super::external;

#[derive(Debug)]
pub struct Signature {
    /// Packed bytes.
    pub bytes: u64,
    /// Basic elements; a pair counts as two.
    pub elements: u64,
    /// Bytes in external32; the largest number if they do not fit.
    pub external_bytes: u64,
    /// Bit i: the basic type of index i occurs.
    basics: u128,
    kind: Kind,
}

const _: () = assert!(super::basic::TABLE.len() <= 128);

#[derive(Debug)]
enum Kind {
    Nothing,
    Basic(Basic),
    Repeat(Arc<Signature>),
    Sequence(Box<[Part]>),
}

#[derive(Debug)]
struct Part {
    /// Bytes and elements before this part.
    bytes: u64,
    elements: u64,
    part: Arc<Signature>,
}

/// Several of the same basic element in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BasicRun {
    pub basic: Basic,
    pub count: u64,
}

impl Signature {
    pub fn nothing() -> Arc<Signature> {
        Arc::new(Signature { bytes: 0, elements: 0, external_bytes: 0, basics: 0, kind: Kind::Nothing })
    }

    pub fn basic(basic: Basic) -> Arc<Signature> {
        match basic.row().pair {
            Some((value, index)) => {
                Signature::sequence([(1, Signature::basic(value)), (1, Signature::basic(index))])
            }
            None => Arc::new(Signature {
                bytes: basic.size(),
                elements: 1,
                external_bytes: external::size(basic),
                basics: 1 << basic.index(),
                kind: Kind::Basic(basic),
            }),
        }
    }

    /// `count` times `part`. The caller has checked that the bytes fit.
    pub fn repeated(part: &Arc<Signature>, count: u64) -> Arc<Signature> {
        let inner = match &part.kind {
            Kind::Repeat(inner) => inner,
            _ => part,
        };
        match (count, part.bytes) {
            (0, _) | (_, 0) => Signature::nothing(),
            (1, _) => part.clone(),
            _ => Arc::new(Signature {
                bytes: count * part.bytes,
                elements: count * part.elements,
                external_bytes: count.saturating_mul(part.external_bytes),
                basics: part.basics,
                kind: Kind::Repeat(inner.clone()),
            }),
        }
    }

    /// Parts with their repeat counts, one after the other; equal neighbours become one.
    pub fn sequence(parts: impl IntoIterator<Item = (u64, Arc<Signature>)>) -> Arc<Signature> {
        let mut list: Vec<(u64, Arc<Signature>)> = Vec::new();
        for (count, part) in parts {
            let (count, unit) = match &part.kind {
                Kind::Nothing => continue,
                Kind::Repeat(inner) => (count * (part.bytes / inner.bytes), inner.clone()),
                _ => (count, part),
            };
            match list.last_mut() {
                _ if count == 0 => {}
                Some((n, last)) if last.same_unit(&unit) => *n += count,
                _ => list.push((count, unit)),
            }
        }
        match &list[..] {
            [] => Signature::nothing(),
            [(count, part)] => Signature::repeated(part, *count),
            _ => {
                let mut all = Signature { bytes: 0, elements: 0, external_bytes: 0, basics: 0, kind: Kind::Nothing };
                let mut parts = Vec::with_capacity(list.len());
                for (count, part) in &list {
                    let part = Signature::repeated(part, *count);
                    parts.push(Part { bytes: all.bytes, elements: all.elements, part: part.clone() });
                    all.bytes += part.bytes;
                    all.elements += part.elements;
                    all.external_bytes = all.external_bytes.saturating_add(part.external_bytes);
                    all.basics |= part.basics;
                }
                Arc::new(Signature { kind: Kind::Sequence(parts.into()), ..all })
            }
        }
    }

    fn same_unit(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Basic(a), Kind::Basic(b)) => a == b,
            _ => Arc::ptr_eq(self, other),
        }
    }

    /// The basic type, if there is only one kind inside.
    pub fn uniform(&self) -> Option<Basic> {
        (self.basics.count_ones() == 1).then(|| Basic::at(self.basics.trailing_zeros() as usize))
    }

    /// The distinct basic types inside, in the table's order.
    pub fn basics(&self) -> impl Iterator<Item = Basic> + use<> {
        let set = self.basics;
        Basic::all().filter(move |b| set >> b.index() & 1 == 1)
    }

    /// Basic elements that begin within the first `bytes` bytes of `count` copies, and how many bytes of the last of
    /// them are missing.
    pub fn elements_in(&self, bytes: u64) -> (u64, u64) {
        match &self.kind {
            Kind::Nothing => (0, 0),
            Kind::Basic(_) if bytes == 0 => (0, 0),
            Kind::Basic(_) => (1, self.bytes - bytes),
            Kind::Repeat(inner) => {
                let (elements, missing) = inner.elements_in(bytes % inner.bytes);
                (bytes / inner.bytes * inner.elements + elements, missing)
            }
            Kind::Sequence(_) if bytes == self.bytes => (self.elements, 0),
            Kind::Sequence(parts) => {
                let part = &parts[parts.partition_point(|p| p.bytes <= bytes) - 1];
                let (elements, missing) = part.part.elements_in(bytes - part.bytes);
                (part.elements + elements, missing)
            }
        }
    }

    /// The bytes of the first `elements` basic elements.
    pub fn bytes_of(&self, elements: u64) -> u64 {
        match &self.kind {
            Kind::Nothing => 0,
            Kind::Basic(_) => elements * self.bytes,
            Kind::Repeat(inner) => {
                elements / inner.elements * inner.bytes + inner.bytes_of(elements % inner.elements)
            }
            Kind::Sequence(_) if elements == self.elements => self.bytes,
            Kind::Sequence(parts) => {
                let part = &parts[parts.partition_point(|p| p.elements <= elements) - 1];
                part.bytes + part.part.bytes_of(elements - part.elements)
            }
        }
    }

    /// All basic elements in order, in runs; stops at the first error.
    pub fn for_each_run<E>(&self, visit: &mut impl FnMut(BasicRun) -> Result<(), E>) -> Result<(), E> {
        match &self.kind {
            Kind::Nothing => Ok(()),
            Kind::Basic(basic) => visit(BasicRun { basic: *basic, count: 1 }),
            Kind::Repeat(inner) => {
                let count = self.bytes / inner.bytes;
                if let Kind::Basic(basic) = inner.kind {
                    return visit(BasicRun { basic, count });
                }
                (0..count).try_for_each(|_| inner.for_each_run(visit))
            }
            Kind::Sequence(parts) => parts.iter().try_for_each(|p| p.part.for_each_run(visit)),
        }
    }
}
