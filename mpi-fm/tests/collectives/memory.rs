//! Typed memory whose holes are watched.

use mpi_fm::coll::{Blocks, Data};
use mpi_fm::datatype::{Basic, Form};
use mpi_fm::{Buf, Datatype, Process};
use std::sync::Arc;

const UNTOUCHED: u8 = 0xee;

/// Room for `count` items of a type, whose data is a sequence of `i32`.
pub struct Memory {
    bytes: Vec<u8>,
    /// From the beginning of `bytes` to the address of the first item.
    offset: usize,
    count: usize,
    ty: Arc<Datatype>,
}

impl Memory {
    pub fn new(ty: &Arc<Datatype>, count: usize) -> Memory {
        // More than enough for the types of these tests, on both sides.
        let span = (ty.extent().unsigned_abs() + ty.true_extent().unsigned_abs()) as usize * (count + 1);
        Memory { bytes: vec![UNTOUCHED; 2 * span + 256], offset: (span + 64) & !63, count, ty: Arc::clone(ty) }
    }

    /// With the numbers that `value` gives for each index.
    pub fn filled(ty: &Arc<Datatype>, count: usize, value: impl Fn(usize) -> i32) -> Memory {
        let memory = Memory::new(ty, count);
        let numbers = memory.buf().bytes() as usize / 4;
        let packed: Vec<u8> = (0..numbers).flat_map(|index| value(index).to_ne_bytes()).collect();
        memory.buf().write_at(0, &packed);
        memory
    }

    pub fn addr(&self) -> *mut u8 {
        self.bytes.as_ptr().cast_mut().wrapping_add(self.offset)
    }

    pub fn buf(&self) -> Buf<'_> {
        // SAFETY: the vector has room on both sides of the address, and the tests read it only while no call is under way.
        unsafe { Buf::new(self.addr(), self.count, &self.ty) }
    }

    pub fn data(&self) -> Data<'_> {
        Data::new(self.buf())
    }

    /// As blocks of the same length.
    pub fn even(&self, len: usize) -> Blocks<'_> {
        Blocks::Even { whole: self.data(), len, each: self.count / len }
    }

    /// The numbers of items `from .. from + count`.
    pub fn numbers(&self, from: usize, count: usize) -> Vec<i32> {
        let part = self.buf().slice(from, count);
        let mut packed = vec![0; part.bytes() as usize];
        part.read_at(0, &mut packed);
        packed.chunks_exact(4).map(|bytes| i32::from_ne_bytes(bytes.try_into().unwrap())).collect()
    }

    pub fn all(&self) -> Vec<i32> {
        self.numbers(0, self.count)
    }

    /// Nothing was written but the items themselves.
    pub fn assert_holes_untouched(&self) {
        let mut copy = self.bytes.clone();
        let addr = copy.as_mut_ptr().wrapping_add(self.offset);
        // SAFETY: as `buf`, in the copy.
        let items = unsafe { Buf::new(addr, self.count, &self.ty) };
        items.write_at(0, &vec![UNTOUCHED; items.bytes() as usize]);
        assert!(copy.iter().all(|byte| *byte == UNTOUCHED), "memory outside the items was written");
    }
}

/// The types the tests go through: one number, three with holes between and around them, two backwards.
pub fn types(process: &Process) -> Vec<Arc<Datatype>> {
    let int = process.types.get(Basic::MPI_INT);
    let holes = Datatype::vector(Form::Int, 3, 1, 2, int).unwrap();
    let shifted = Datatype::resized(Form::Int, &holes, -8, 36).unwrap();
    let backwards = Datatype::resized(Form::Int, &Datatype::contiguous(Form::Int, 2, int).unwrap(), 0, -12).unwrap();
    vec![Arc::clone(int), shifted, backwards]
}
