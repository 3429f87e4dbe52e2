//! Datatypes against the naive oracle, with random nested types.

mod errors;
mod oracle;

use mpi_fm::datatype::{self, Basic, Datatype, Predefined};
use oracle::{Desc, Map, desc};
use proptest::prelude::*;

/// Memory for `count` items of a type, whatever its bounds are.
struct Memory {
    bytes: Vec<u8>,
    /// Where displacement 0 lies; outside of `bytes` perhaps.
    origin: i64,
}

impl Memory {
    fn new(map: &Map, count: usize, fill: impl Fn(usize) -> u8) -> Memory {
        let places = map.bytes(count);
        let (lo, hi) = (places.iter().min().copied().unwrap_or(0), places.iter().max().copied().unwrap_or(0));
        let bytes = (0..(hi - lo + 1) as usize).map(fill).collect();
        Memory { bytes, origin: -lo }
    }

    fn addr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().wrapping_offset(self.origin as isize)
    }

    fn at(&mut self, disp: i64) -> &mut u8 {
        &mut self.bytes[(disp + self.origin) as usize]
    }
}

fn noise(i: usize) -> u8 {
    (i.wrapping_mul(0x9e37_79b9) >> 13) as u8
}

/// Cuts `0..total` at random places.
fn cuts(total: u64, seeds: &[u32]) -> Vec<(u64, usize)> {
    let mut places: Vec<u64> = seeds.iter().map(|&s| s as u64 % (total + 1)).chain([0, total]).collect();
    places.sort_unstable();
    places.windows(2).map(|w| (w[0], (w[1] - w[0]) as usize)).collect()
}

fn check_bounds(ty: &Datatype, map: &Map) {
    assert_eq!(ty.size() as i64, map.size(), "size");
    assert_eq!((ty.true_lb(), ty.true_extent()), (map.true_lb(), map.true_ub() - map.true_lb()), "true bounds");
    assert_eq!((ty.lb(), ty.extent()), (map.lb(), map.extent()), "bounds");
}

fn check_elements(ty: &Datatype, map: &Map) {
    let mut ends = vec![0];
    for _ in 0..2 {
        for (basic, _) in &map.elements {
            ends.push(ends.last().unwrap() + basic.size());
        }
    }
    for bytes in 0..=*ends.last().unwrap() {
        let whole = ends.iter().position(|&e| e == bytes).map(|n| n as u64);
        assert_eq!(ty.elements(bytes), whole, "elements in {bytes} bytes");
    }
    for (n, &bytes) in ends.iter().enumerate() {
        assert_eq!(ty.bytes_of_elements(n as u64), if map.elements.is_empty() && n > 0 { None } else { Some(bytes) });
    }
    let mut basics: Vec<Basic> = map.elements.iter().map(|e| e.0).collect();
    basics.sort();
    basics.dedup();
    assert_eq!(ty.basic_types().collect::<Vec<_>>(), basics);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn bounds_and_elements(desc in desc()) {
        let (ty, map) = (desc.build(&Predefined::new()), desc.map());
        check_bounds(&ty, &map);
        check_elements(&ty, &map);
    }

    #[test]
    fn packing_at_any_split(desc in desc(), count in 0usize..4, seeds in prop::collection::vec(any::<u32>(), 0..6)) {
        let (ty, map) = (desc.build(&Predefined::new()), desc.map());
        let places = map.bytes(count);
        let mut memory = Memory::new(&map, count, noise);
        let expected: Vec<u8> = places.iter().map(|&d| *memory.at(d)).collect();
        let mut packed = vec![0; expected.len()];
        // Last pieces first: nothing may depend on what was packed before.
        for &(offset, len) in cuts(expected.len() as u64, &seeds).iter().rev() {
            let out = &mut packed[offset as usize..offset as usize + len];
            // SAFETY: `memory` holds `count` items.
            prop_assert_eq!(unsafe { ty.pack(memory.addr(), count, offset, out) }, len);
        }
        prop_assert_eq!(&packed, &expected);
        let mut listed = Vec::new();
        ty.for_each_piece(std::ptr::null_mut(), count, 0, packed.len(), |at, len| {
            listed.extend((0..len).map(|i| at.wrapping_add(i).addr() as i64));
        });
        prop_assert_eq!(&listed, &places);
        let consecutive = places.windows(2).all(|w| w[1] == w[0] + 1) && places.first().is_none_or(|&d| d == map.true_lb());
        prop_assert!(!ty.is_contiguous_for(count) || consecutive);
    }

    #[test]
    fn unpacking_at_any_split(desc in desc(), count in 0usize..4, seeds in prop::collection::vec(any::<u32>(), 0..6)) {
        let (ty, map) = (desc.build(&Predefined::new()), desc.map());
        let places = map.bytes(count);
        let data: Vec<u8> = (0..places.len()).map(|i| noise(i + 77)).collect();
        let (mut memory, mut expected) = (Memory::new(&map, count, noise), Memory::new(&map, count, noise));
        for (&disp, &byte) in places.iter().zip(&data) {
            *expected.at(disp) = byte;
        }
        for (offset, len) in cuts(data.len() as u64, &seeds) {
            let piece = &data[offset as usize..offset as usize + len];
            // SAFETY: `memory` holds `count` items.
            prop_assert_eq!(unsafe { ty.unpack(memory.addr(), count, offset, piece) }, len);
        }
        prop_assert_eq!(memory.bytes, expected.bytes);
    }

    #[test]
    fn copying_between_types(from in desc(), to in desc(), counts in (0usize..4, 0usize..4)) {
        let types = Predefined::new();
        let (from_map, to_map) = (from.map(), to.map());
        let mut source = Memory::new(&from_map, counts.0, noise);
        let (mut memory, mut expected) = (Memory::new(&to_map, counts.1, |_| 0), Memory::new(&to_map, counts.1, |_| 0));
        let (out, into) = (from_map.bytes(counts.0), to_map.bytes(counts.1));
        for (&s, &d) in out.iter().zip(&into) {
            *expected.at(d) = *source.at(s);
        }
        let (from, to) = (from.build(&types), to.build(&types));
        // SAFETY: the two memories hold that many items.
        let bytes = unsafe { datatype::copy((&from, source.addr(), counts.0), (&to, memory.addr(), counts.1)) };
        prop_assert_eq!(bytes as usize, out.len().min(into.len()));
        prop_assert_eq!(memory.bytes, expected.bytes);
    }
}

/// A column of a large matrix, and the matrix's transpose, in constant memory and at once.
#[test]
fn huge_counts_cost_nothing() {
    let types = Predefined::new();
    let huge = Desc::Vector(1 << 40, 1, 1 << 10, Box::new(Desc::Basic(Basic::MPI_INT)));
    let ty = huge.build(&types);
    assert_eq!(ty.size(), 1 << 42);
    assert_eq!(ty.extent(), ((1i64 << 40) - 1) * 4096 + 4);
    assert_eq!(ty.elements((1 << 42) - 2), None);
    assert_eq!(ty.elements((1 << 42) - 4), Some((1 << 40) - 1));
    let mut seen = Vec::new();
    ty.for_each_piece(std::ptr::null_mut(), 1, (1 << 41) + 1, 6, |at, len| seen.push((at.addr(), len)));
    assert_eq!(seen, [((1 << 51) + 1, 3), ((1 << 51) + 4096, 3)]);
}
