//! Which board has which part of a process's region.

#![allow(unsafe_code)] // Parts are made of the region's memory; each use is explained.

use super::part::{Part, Parts, part_size};
use super::{Board, Neighbours};
use crate::packet::Peer;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where in its owner's region a part is: what members tell each other to open a board. In cache lines from the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub u32);

const LINE: usize = 64;

/// The region of one process, of which its boards have parts.
pub struct Places {
    neighbours: Arc<dyn Neighbours>,
    me: Peer,
    /// In the order of their places.
    taken: Mutex<Vec<Taken>>,
}

struct Taken {
    /// From the region's beginning, in bytes.
    from: usize,
    to: usize,
    /// Of a board that this process has closed: the part, which the others may still read, and this process's index.
    left: Option<(Part, usize)>,
}

impl Places {
    pub fn new(neighbours: Arc<dyn Neighbours>, me: Peer) -> Places {
        Places { neighbours, me, taken: Mutex::default() }
    }

    /// Keeps room for a part of a board of `members`. `None` when the region is full, or cannot be seen.
    pub fn reserve(&self, members: usize) -> Option<Place> {
        let region = self.neighbours.region(self.me)?;
        let size = part_size(members).next_multiple_of(LINE);
        let mut taken = self.lock();
        taken.retain(|taken| !taken.left.is_some_and(|(part, me)| part.is_closed(me)));
        let mut from = 0;
        let mut index = 0;
        while let Some(next) = taken.get(index)
            && next.from < from + size
        {
            from = next.to;
            index += 1;
        }
        if from + size > region.len() {
            return None;
        }
        taken.insert(index, Taken { from, to: from + size, left: None });
        // SAFETY: inside the region, at a multiple of a line, and nobody else's.
        unsafe { Part::new(region.cast().add(from), members) }.clear();
        Some(Place((from / LINE) as u32))
    }

    /// Gives a part back that nobody else has heard of, or ever touched.
    pub fn cancel(&self, place: Place) {
        self.lock().retain(|taken| taken.from != place.0 as usize * LINE);
    }

    /// Opens a board: `members`, of which this process is number `me`, have reserved these `places` for it. `None` when this process
    /// cannot see one of them; then it touches none.
    pub fn open(self: &Arc<Self>, members: &[Peer], me: usize, places: &[Place]) -> Option<Opened> {
        assert!(members.len() == places.len());
        let size = part_size(members.len());
        let part = |(&owner, place): (&Peer, &Place)| {
            let region = self.neighbours.region(owner)?;
            let from = place.0 as usize * LINE;
            // SAFETY: inside the owner's region, where it has reserved a part for this board.
            (from + size <= region.len()).then(|| unsafe { Part::new(region.cast().add(from), members.len()) })
        };
        let parts = members.iter().zip(places).map(part).collect::<Option<Box<[Part]>>>()?;
        let board = Board::new(Parts::new(parts), me, members.len());
        Some(Opened { board, places: Arc::clone(self), own: places[me] })
    }

    /// The memory that the region is part of.
    pub fn neighbours(&self) -> &Arc<dyn Neighbours> {
        &self.neighbours
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open board; dropped, it is closed for this process.
pub struct Opened {
    board: Board<Parts>,
    places: Arc<Places>,
    own: Place,
}

impl Deref for Opened {
    type Target = Board<Parts>;
    #[inline]
    fn deref(&self) -> &Board<Parts> {
        &self.board
    }
}

impl DerefMut for Opened {
    #[inline]
    fn deref_mut(&mut self) -> &mut Board<Parts> {
        &mut self.board
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let (me, memory) = (self.board.me(), self.board.memory());
        for owner in (0..self.board.members()).filter(|&owner| owner != me) {
            memory.part(owner).close(me);
        }
        let part = memory.part(me);
        let from = self.own.0 as usize * LINE;
        if let Some(taken) = self.places.lock().iter_mut().find(|taken| taken.from == from) {
            taken.left = Some((part, me));
        }
    }
}
