//! The sending side towards one peer.

use crate::layout::{Control, PairRing};
use crate::pool::CellIndex;
use crate::inbox::PUBLISH_AFTER;
use crate::ring::{INLINE_SIZE, SPAN_SIZE_MAX, Writer, cells_for, span_size_max};
use crate::segment::Part;
use crate::shared::Shared;
use crate::word;
use fm::copying::copy_bytes;
use fm::device::send_by_copy;
use fm::{Header, Link, prefetch};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub struct SmpLink {
    ring: Part<PairRing>,
    writer: Writer,
    /// The receiver's.
    control: Part<Control>,
    to: usize,
    shared: Arc<Shared>,
    /// What `commit` sends.
    lent: Lent,
    /// A large cell that was lent and not committed.
    spare: Option<CellIndex>,
    /// Receivers find us by our arrival byte.
    announce: bool,
    /// We were refused and have not had room since.
    refused: bool,
    /// Longer payloads lie in large cells.
    span_size_max: usize,
    habits: Habits,
}

/// How the last messages went, by which the writer goes back to the ring's start before its end, or does not.
///
/// Messages in a row are quickest through many cells: lines that the reader has just had in its first cache are dear to write. Who answers and is
/// answered is better off with few: they stay in both processes' caches. See decision 20.
struct Habits {
    /// Count of cells at which to look again.
    until: u32,
    /// Messages since the last look.
    messages: u32,
    /// How many of them were answers.
    answers: u32,
    /// [`Shared::awaited`] at the last message.
    awaited: u32,
}

/// So many cells stay in both processes' first caches.
const NEAR: usize = 512;

// Going back early uses up the cells that are left, and wakes nobody: the last message before it must still find room, with what the reader has not
// told of behind it.
const _: () = assert!(NEAR / 2 > PUBLISH_AFTER as usize + cells_for(SPAN_SIZE_MAX));

/// So many cells ahead lines come from the receiver's cache while messages are written: behind the one that the receiver looks at.
const WRITE_AHEAD: usize = 6;

#[derive(Clone, Copy)]
enum Lent {
    /// In the ring: bytes, and the cells that they take.
    Inline(usize, usize),
    Large(CellIndex, usize),
}

impl SmpLink {
    pub fn new(shared: Arc<Shared>, to: usize) -> Self {
        SmpLink {
            ring: Part::new(&shared.segment, |segment| segment.ring(shared.me, to)),
            writer: Writer::new(shared.segment.ring_cells()),
            control: Part::new(&shared.segment, |segment| segment.control(to)),
            to,
            lent: Lent::Inline(0, 1),
            spare: None,
            announce: !shared.direct(),
            refused: false,
            span_size_max: span_size_max(shared.segment.ring_cells()),
            habits: Habits { until: NEAR as u32, messages: 0, answers: 0, awaited: 0 },
            shared,
        }
    }

    #[cold]
    fn refuse(&mut self) {
        self.refused = true;
        self.shared.refused(self.to, std::iter::once((self.to as u32, self.writer.head_seen())));
    }

    #[cold]
    fn accept(&mut self) {
        self.refused = false;
        self.shared.accepted(self.to);
    }

    // Apart from `lend`, so that small messages do not save the registers that only this needs.
    #[inline(never)]
    fn lend_large(&mut self, len: usize) -> Option<&mut [u8]> {
        let shared = &*self.shared;
        let mut pool = shared.pool.lock();
        if let Some(spare) = self.spare.take() {
            pool.give_back(spare);
        }
        let head = |receiver: u32| shared.segment.ring(shared.me, receiver as usize).head();
        let cell = match pool.take(self.to as u32, len, head) {
            Ok(cell) => cell,
            Err(shortage) => {
                shared.refused(self.to, pool.causes(self.to as u32, shortage));
                self.refused = true;
                return None;
            }
        };
        drop(pool);
        self.spare = Some(cell);
        self.lent = Lent::Large(cell, len);
        let room = shared.segment.own_cell(shared.me, cell, len);
        // SAFETY: `len` bytes of a cell that the pool lent to nobody else; its last receiver has passed it.
        Some(unsafe { std::slice::from_raw_parts_mut(room.as_ptr(), len) })
    }
}

/// The large cell's loan, and its name in the ring's cell.
impl SmpLink {
    #[inline(never)]
    fn name_large(&mut self, cell: CellIndex, len: usize) {
        self.spare = None;
        let until = self.writer.count().wrapping_add(1);
        self.shared.pool.lock().lend(self.to as u32, until, cell);
        let reference = word::Reference { cell: cell.to_bits(), len: len as u32 };
        // SAFETY: the cell is the writer's until published, and its payload is larger and aligned to 8 bytes.
        self.writer.payload(&self.ring, 1, |bytes| unsafe { bytes.cast::<word::Reference>().write(reference) });
    }
}

impl SmpLink {
    /// Room for a span that is longer than a cell.
    #[inline(never)]
    fn lend_span(&mut self, len: usize) -> Option<&mut [u8]> {
        let span = cells_for(len);
        if self.writer.cells_to_end() < span && !self.skip_to_start() || !self.writer.has_room(&self.ring, span) {
            self.refuse();
            return None;
        }
        if self.refused {
            self.accept();
        }
        self.lent = Lent::Inline(len, span);
        let room = self.writer.payload(&self.ring, span, |bytes| bytes);
        // SAFETY: at most the payload of `span` cells, which the reader has passed: they are the writer's until published.
        Some(unsafe { std::slice::from_raw_parts_mut(room, len) })
    }

    /// Goes on at the ring's start, if there is room to say so.
    fn skip_to_start(&mut self) -> bool {
        let left = self.writer.cells_to_end();
        let room = self.writer.has_room(&self.ring, left);
        if room {
            self.writer.publish(&self.ring, word::SKIP, left);
            self.tell_count();
        }
        room
    }

    /// Counts a message that was published. Returns whether it is an answer: this process has waited for a message since its last one to this peer.
    #[inline]
    fn is_answer(&mut self) -> bool {
        self.habits.messages += 1;
        let awaited = self.shared.awaited();
        let answers = std::mem::replace(&mut self.habits.awaited, awaited) != awaited;
        if answers {
            self.habits.answers += 1;
        }
        if self.writer.count().wrapping_sub(self.habits.until) as i32 >= 0 {
            self.choose_cells();
        }
        answers
    }

    /// Goes back to the ring's start, or on.
    #[cold]
    fn choose_cells(&mut self) {
        let (answers, messages) = (std::mem::take(&mut self.habits.answers), std::mem::take(&mut self.habits.messages));
        let answering = answers >= messages / 2 && self.writer.cells_from_start() >= NEAR / 2;
        if answering && self.writer.has_room(&self.ring, self.writer.cells_to_end() + NEAR / 4) {
            self.skip_to_start();
        }
        self.habits.until = self.writer.count().wrapping_add(NEAR as u32);
    }

    /// Publishes one cell.
    #[inline(always)]
    fn publish_cell(&mut self, word: u64) {
        self.writer.publish(&self.ring, word, 1);
        self.tell_count();
        self.shared.wake_for_message(&self.control);
        if self.is_answer() {
            // Likely it will be answered at once, and our next message will be an answer, too.
            self.writer.touch(&self.ring);
            self.shared.sent.begin();
        } else if let Some(cell) = self.writer.ahead(&self.ring, WRITE_AHEAD) {
            // Stores leave the processor in order: one that waits for its line holds up all those behind it.
            prefetch::to_write(cell);
        }
    }

    #[inline]
    fn tell_count(&self) {
        if self.announce {
            // No order needed: a receiver that sees the byte before the cell comes back for the cell.
            self.control.arrival(self.shared.me).store(self.writer.count() as u8, Relaxed);
        }
    }
}

impl Link for SmpLink {
    #[inline]
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > INLINE_SIZE && len <= self.span_size_max {
            return self.lend_span(len);
        }
        if !self.writer.has_room(&self.ring, 1) {
            self.refuse();
            return None;
        }
        if self.refused {
            self.accept();
        }
        if len > INLINE_SIZE {
            return self.lend_large(len);
        }
        self.lent = Lent::Inline(len, 1);
        let room = self.writer.payload(&self.ring, 1, |bytes| bytes);
        // SAFETY: at most the cell's payload, and the reader has passed the cell: it is the writer's until published.
        Some(unsafe { std::slice::from_raw_parts_mut(room, len) })
    }

    #[inline]
    fn commit(&mut self, header: Header) {
        let (word, span) = match self.lent {
            Lent::Inline(len, span) => (word::inline(header, len), span),
            Lent::Large(cell, len) => {
                self.name_large(cell, len);
                (word::large(header), 1)
            }
        };
        if span == 1 {
            self.publish_cell(word);
            return;
        }
        self.writer.publish(&self.ring, word, span);
        self.tell_count();
        self.shared.wake_for_message(&self.control);
        if self.is_answer() {
            self.shared.sent.begin();
        }
        // The next message is often as long as this one: its cells come here from the receiver's cache meanwhile.
        self.writer.next_cells(&self.ring, span + WRITE_AHEAD).iter().for_each(prefetch::to_write);
    }

    #[inline]
    fn send(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        let len = head.len() + body.len();
        if len > INLINE_SIZE || self.refused {
            return send_by_copy(self, header, head, body);
        }
        if !self.writer.has_room(&self.ring, 1) {
            self.refuse();
            return false;
        }
        self.writer.payload(&self.ring, 1, |room| {
            // SAFETY: the cell's payload has room for both, and the reader has passed the cell: it is the writer's until published.
            unsafe {
                copy_bytes(head.as_ptr(), room, head.len());
                copy_bytes(body.as_ptr(), room.add(head.len()), body.len());
            }
        });
        self.publish_cell(word::inline(header, len));
        true
    }
}
