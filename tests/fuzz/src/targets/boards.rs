//! Boards of collectives, of which the other members write what they like: their own parts, and this one's.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use fm::Peer;
use fm::board::part::part_size;
use fm::board::{Bell, Label, Memory as _, Neighbours, Place, Places, SHORT};

use super::input::Input;

const MEMBERS: usize = 3;

/// A region for each member, a part long and some more.
struct Regions {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: memory that is accessed by one thread.
unsafe impl Send for Regions {}
// SAFETY: as above.
unsafe impl Sync for Regions {}

impl Regions {
    const SIZE: usize = (part_size(MEMBERS) + 8192).next_multiple_of(4096);

    fn new() -> Self {
        let layout = Layout::from_size_align(MEMBERS * Self::SIZE, 4096).expect("a size");
        // SAFETY: it is not of size 0.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        Regions { start: start.unwrap_or_else(|| handle_alloc_error(layout)), layout }
    }

    fn of(&self, member: usize) -> NonNull<[u8]> {
        assert!(member < MEMBERS);
        // SAFETY: inside the allocation.
        NonNull::slice_from_raw_parts(unsafe { self.start.add(member * Self::SIZE) }, Self::SIZE)
    }

    fn write(&self, member: usize, at: usize, bytes: &[u8]) {
        let length = bytes.len().min(Self::SIZE - at);
        // SAFETY: inside the region; nobody holds a reference into it meanwhile but to atomics, and to cells.
        unsafe { self.of(member).cast::<u8>().add(at).copy_from(NonNull::from(bytes).cast(), length) };
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        // SAFETY: it came from there, with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

impl Neighbours for Regions {
    fn region(&self, owner: Peer) -> Option<NonNull<[u8]>> {
        (owner.index() < MEMBERS).then(|| self.of(owner.index()))
    }

    fn bell(&self, _: &[Peer]) -> Box<dyn Bell> {
        Box::new(Silent)
    }
}

struct Silent;

impl Bell for Silent {
    fn ring(&self) {}
}

/// Member 0 shows, looks and passes. It may read anything, of the length that is said; all of it lies in the member's part.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let regions = Arc::new(Regions::new());
    let places = Arc::new(Places::new(Arc::clone(&regions) as Arc<dyn Neighbours>, Peer(0)));
    let own = places.reserve(MEMBERS).expect("room for a part");
    // Where the others say theirs are.
    let theirs = [0, 1].map(|_| Place(u32::from(input.u8())));
    let members: Vec<Peer> = (0..MEMBERS as u32).map(Peer).collect();
    let Some(mut board) = places.open(&members, 0, &[own, theirs[0], theirs[1]]) else { return };
    let mut sum = 0_u64;
    while !input.is_empty() {
        match input.u8() {
            step @ 0..=99 => {
                let (at, length) = (usize::from(input.u16()), usize::from(input.u8()));
                // Marks and slots, or all of it.
                let at = if step < 80 { at % (MEMBERS * 64 + 64 * 64) } else { at * 5 % Regions::SIZE };
                regions.write(usize::from(step) % MEMBERS, at, input.bytes(length));
            }
            step => {
                let length = if step & 1 == 0 { usize::from(input.u8()) % SHORT } else { usize::from(input.u16()).min(board.longest()) };
                let number = match board.has_room(length) {
                    true => board.show(Label { mark: 1, total: length as u64 }, length, |room| room.fill(step)),
                    // The others would be waited for.
                    false => continue,
                };
                for member in 1..MEMBERS {
                    // They show it, if the input wants them to.
                    if step & 2 == 0 {
                        let place = number as usize % 64;
                        let line = place % 32 * 2 + place / 32;
                        let at = theirs[member - 1].0 as usize * 64 + 64 * (MEMBERS + line);
                        regions.write(member, at, &number.to_le_bytes());
                    }
                    let Some(label) = board.look(member, number) else { continue };
                    let length = usize::try_from(label.total).unwrap_or(usize::MAX).min(board.longest());
                    board.read(member, number, length, |bytes| {
                        assert_eq!(bytes.len(), length);
                        sum = bytes.iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte)));
                    });
                }
                board.pass(number, length);
                assert!(board.hindmost() < MEMBERS && board.memory().data_size().is_power_of_two());
            }
        }
    }
    drop(board);
    places.reserve(MEMBERS);
}

pub fn seeds() -> Vec<Vec<u8>> {
    // What a member has shown in the first steps: number, mark, total, and where it lies.
    let slot = |member: u8, step: u16, total: u64, start: u32| {
        let line = step % 32 * 2 + step / 32;
        let at = 64 * (MEMBERS as u16 + line);
        let label = [&u32::from(step).to_le_bytes()[..], &1_u32.to_le_bytes(), &total.to_le_bytes(), &start.to_le_bytes()].concat();
        [&[member], &at.to_le_bytes()[..], &[label.len() as u8], &label].concat()
    };
    let mark = |member: u8, reader: u16, passed: u32| [&[member], &(64 * reader).to_le_bytes()[..], &[4], &passed.to_le_bytes()].concat();
    let long = |length: u16| [&[101][..], &length.to_le_bytes()].concat();
    let steps: Vec<u8> = (1..70_u16).flat_map(|step| [slot(1, step, 8, 0), slot(2, step, 8, 0), vec![100, 8], mark(0, 1, u32::from(step) + 1), mark(0, 2, u32::from(step) + 1)].concat()).collect();
    vec![
        [&[0, 0], &steps[..]].concat(),
        [&[0, 0][..], &slot(1, 1, 1000, 64), &slot(2, 1, 1000, 0xffff_ffc0), &long(1000), &slot(1, 2, u64::MAX, 262_100), &long(40_000)].concat(),
        [&[0, 0][..], &mark(0, 1, 0x8000_0000), &mark(0, 2, 5), &[100, 1, 102, 7, 100, 3]].concat(),
        vec![130, 0, 100, 1],
        [&[1, 2][..], &[100, 8].repeat(80)].concat(),
    ]
}
