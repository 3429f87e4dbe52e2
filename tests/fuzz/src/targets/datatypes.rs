//! Packed data, as it came in a message or out of a file: plain, and in external32.

use std::sync::{Arc, LazyLock};

use mpi_fm::Datatype;
use mpi_fm::datatype::{Form, Number, Predefined};

use super::input::Input;

static TYPES: LazyLock<Predefined> = LazyLock::new(Predefined::new);

/// Types nest so deep, items spread so far, and so many bytes are packed: more teaches nothing, and takes long.
const DEPTH_MAX: u32 = 4;
const SPREAD_MAX: i64 = 64 << 10;
const PACKED_MAX: u64 = 64 << 10;

/// What no item covers, before they come, between them and behind.
const UNTOUCHED: u8 = 0x5a;

/// A type, of which some items are unpacked: nothing beside them is written, and what was unpacked is packed again as it came.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let Some(ty) = make(&mut input, DEPTH_MAX) else { return };
    let count = usize::from(input.u8() % 8);
    let (Some(bytes), Ok(external)) = (ty.bytes(count), ty.external_bytes(count)) else { return };
    let last = (count as i64 - 1).max(0).checked_mul(ty.extent());
    let Some(last) = last.filter(|last| last.abs() <= SPREAD_MAX && ty.true_lb().abs() <= SPREAD_MAX && ty.true_extent() <= SPREAD_MAX) else { return };
    if bytes > PACKED_MAX || external > PACKED_MAX {
        return;
    }
    let before = usize::try_from(-ty.true_lb().min(0) - last.min(0)).expect("not negative");
    let behind = usize::try_from(ty.true_lb().max(0) + ty.true_extent() + last.max(0)).expect("not negative");
    let items = Items { ty, count, before, size: before + behind };
    items.unpack(&mut input, bytes as usize);
    items.unpack_external(&mut input, external as usize);
}

struct Items {
    ty: Arc<Datatype>,
    count: usize,
    /// In front of where they begin, in memory of this size.
    before: usize,
    size: usize,
}

impl Items {
    /// What they cover, by byte; `None` if they cover one twice.
    fn covered(&self, bytes: usize) -> (Vec<bool>, bool) {
        let (mut covered, mut twice) = (vec![false; self.size], false);
        let start = std::ptr::without_provenance_mut(self.before);
        self.ty.for_each_piece(start, self.count, 0, bytes, |at, length| {
            for covered in &mut covered[at.addr()..at.addr() + length] {
                twice |= std::mem::replace(covered, true);
            }
        });
        (covered, twice)
    }

    fn check(&self, memory: &[u8], bytes: usize) -> bool {
        let (covered, twice) = self.covered(bytes);
        assert!(memory.iter().zip(&covered).all(|(byte, covered)| *covered || *byte == UNTOUCHED), "written beside the items");
        !twice
    }

    /// In pieces, as messages bring them.
    fn unpack(&self, input: &mut Input, bytes: usize) {
        let data = filled(input.bytes(bytes), bytes);
        let mut memory = vec![UNTOUCHED; self.size];
        let addr = memory.as_mut_ptr().wrapping_add(self.before);
        let piece = 1 + usize::from(input.u16());
        for (at, piece) in (0..).step_by(piece).zip(data.chunks(piece)) {
            // SAFETY: all items lie in the memory, by the type's own bounds.
            let taken = unsafe { self.ty.unpack(addr, self.count, at, piece) };
            assert_eq!(taken, piece.len());
        }
        if self.check(&memory, bytes) {
            let mut again = vec![0; bytes];
            // SAFETY: as above.
            let packed = unsafe { self.ty.pack(memory.as_ptr().wrapping_add(self.before), self.count, 0, &mut again) };
            assert!(packed == bytes && again == data, "{}", self.ty.describe());
        }
    }

    fn unpack_external(&self, input: &mut Input, bytes: usize) {
        let data = filled(input.bytes(bytes), bytes);
        let mut memory = vec![UNTOUCHED; self.size];
        let addr = memory.as_mut_ptr().wrapping_add(self.before);
        // SAFETY: all items lie in the memory, by the type's own bounds.
        unsafe {
            assert!(bytes == 0 || self.ty.unpack_external(addr, self.count, &data[1..]).is_err(), "more than there is");
            assert_eq!(self.ty.unpack_external(addr, self.count, &data).ok(), Some(bytes));
        }
        let native = self.ty.bytes(self.count).expect("it was asked before") as usize;
        // Of binary128 not everything fits a long double.
        let exact = self.ty.basic_types().all(|basic| basic.number() != Number::Long);
        if self.check(&memory, native) && exact {
            let mut again = vec![0; bytes];
            // SAFETY: as above.
            let packed = unsafe { self.ty.pack_external(memory.as_ptr().wrapping_add(self.before), self.count, &mut again) };
            assert!(packed.is_ok_and(|packed| packed == bytes) && again == data, "{}", self.ty.describe());
        }
    }
}

/// What the input says, and then some numbers.
fn filled(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().chain((1..=250).cycle()).take(length).collect()
}

/// A type of predefined ones; `None` for one that is refused.
fn make(input: &mut Input, depth: u32) -> Option<Arc<Datatype>> {
    let kind = input.u8();
    if depth == 0 || kind < 100 {
        let all = TYPES.all();
        return Some(Arc::clone(&all[usize::from(kind) % all.len()]));
    }
    let (form, count) = (Form::Int, i64::from(input.u8() % 5));
    let near = |input: &mut Input| i64::from(input.u8() as i8);
    let list = |input: &mut Input, next: fn(&mut Input) -> i64| -> Vec<i64> { (0..count).map(|_| next(input)).collect() };
    let length = |input: &mut Input| i64::from(input.u8() % 4);
    let made = match kind % 8 {
        0 => Datatype::contiguous(form, count, &make(input, depth - 1)?),
        1 => Datatype::vector(form, count, length(input), near(input), &make(input, depth - 1)?),
        2 => Datatype::hvector(form, count, length(input), near(input), &make(input, depth - 1)?),
        3 => Datatype::indexed(form, &list(input, length), &list(input, near), &make(input, depth - 1)?),
        4 => Datatype::hindexed_block(form, length(input), &list(input, near), &make(input, depth - 1)?),
        5 => Datatype::resized(form, &make(input, depth - 1)?, near(input), near(input)),
        6 => Datatype::dup(&make(input, depth - 1)?),
        _ => {
            let types = (0..count).map(|_| make(input, depth - 1)).collect::<Option<Vec<_>>>()?;
            Datatype::structure(form, &list(input, length), &list(input, near), &types)
        }
    };
    made.ok()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let number = |name: fn(&Datatype) -> bool| TYPES.all().iter().position(|ty| name(ty)).expect("a predefined type") as u8;
    let basics: Vec<u8> = (0..TYPES.all().len() as u8).filter(|at| *at < 100).collect();
    let of_size = |size| TYPES.all().iter().position(|ty| ty.size() == size).unwrap_or(0) as u8;
    let pair = number(|ty| ty.pair().is_some());
    let each = basics.iter().map(|basic| [&[*basic, 3], &[0x80, 1, 2, 3, 4, 5, 6, 7][..]].concat());
    let derived = [
        vec![104, 3, of_size(4), 2, 9, 9, 9, 9],
        vec![105, 3, 2, 4, of_size(8), 2],
        vec![106, 2, 1, 0xf0, of_size(2), 4],
        vec![107, 3, 1, 2, 1, 8, 0, 4, of_size(4), 2],
        vec![108, 3, 2, 0, 40, 20, of_size(1), 3],
        vec![109, 0, pair, 0xfc, 60, 3],
        vec![111, 3, of_size(1), pair, 105, 2, 1, 3, of_size(8), 1, 2, 1, 0, 8, 80, 2],
    ];
    each.chain(derived).collect()
}
