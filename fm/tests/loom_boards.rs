//! Boards under the model checker: every order in which the members' loads and stores may be carried out, and every value that weak
//! memory lets them see.

use fm::board::{Board, Label, Lies, Memory, SHORT, Word};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU32;
use loom::thread;
use std::sync::atomic::Ordering;

struct LoomWord(AtomicU32);

impl Word for LoomWord {
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
    }
}

/// Loom reports accesses that overlap or that no order separates.
type Bytes = UnsafeCell<u64>;

struct Slot {
    number: LoomWord,
    label: UnsafeCell<Label>,
    message: Bytes,
    lies: UnsafeCell<Lies>,
}

struct Part {
    passed: Vec<LoomWord>,
    slots: Vec<Slot>,
    /// One for each line of the data area.
    data: Vec<Bytes>,
}

const SLOTS: usize = 4;
const LINES: usize = 16;

struct Parts(Arc<Vec<Part>>);

impl Parts {
    fn new(members: usize) -> Parts {
        let part = |_| Part {
            passed: (0..members).map(|_| LoomWord(AtomicU32::new(1))).collect(),
            slots: (0..SLOTS)
                .map(|_| Slot {
                    number: LoomWord(AtomicU32::new(0)),
                    label: UnsafeCell::new(Label::default()),
                    message: UnsafeCell::new(0),
                    lies: UnsafeCell::new(Lies::InSlot),
                })
                .collect(),
            data: (0..LINES).map(|_| UnsafeCell::new(0)).collect(),
        };
        Parts(Arc::new((0..members).map(part).collect()))
    }

    /// The lines of a message.
    fn lines(&self, owner: usize, slot: usize, lies: Lies, len: usize) -> Vec<&Bytes> {
        let part = &self.0[owner];
        match lies {
            Lies::InSlot => vec![&part.slots[slot].message],
            Lies::At(at) => part.data[at / 64..(at + len).div_ceil(64)].iter().collect(),
        }
    }
}

impl Memory for Parts {
    type Word = LoomWord;

    const SLOTS: usize = SLOTS;

    fn data_size(&self) -> usize {
        LINES * 64
    }

    fn number(&self, owner: usize, slot: usize) -> &LoomWord {
        &self.0[owner].slots[slot].number
    }

    fn passed(&self, owner: usize, reader: usize) -> &LoomWord {
        &self.0[owner].passed[reader]
    }

    fn write(&self, owner: usize, slot: usize, label: Label, lies: Lies, len: usize, fill: impl FnOnce(&mut [u8])) {
        let place = &self.0[owner].slots[slot];
        // SAFETY: what loom is here to check.
        unsafe {
            place.label.with_mut(|to| *to = label);
            place.lies.with_mut(|to| *to = lies);
        }
        let mut message = vec![0; len];
        fill(&mut message);
        for line in self.lines(owner, slot, lies, len) {
            // SAFETY: as above.
            line.with_mut(|to| unsafe { *to = message.first().copied().unwrap_or(0).into() });
        }
    }

    fn label(&self, owner: usize, slot: usize) -> Label {
        // SAFETY: as above.
        self.0[owner].slots[slot].label.with(|label| unsafe { *label })
    }

    fn read<R>(&self, owner: usize, slot: usize, len: usize, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        // SAFETY: as above.
        let lies = self.0[owner].slots[slot].lies.with(|lies| unsafe { *lies });
        let lines = self.lines(owner, slot, lies, len);
        // SAFETY: as above.
        let mut values = lines.iter().map(|line| line.with(|value| unsafe { *value }) as u8);
        let first = values.next()?;
        assert!(values.all(|value| value == first), "all lines are of one message");
        Some(take(&vec![first; len]))
    }
}

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// `member` shows a message in each of these steps, of the length that is there; the other one looks at it.
#[derive(Clone, Copy)]
struct Plan {
    steps: &'static [(usize, usize)],
}

impl Plan {
    fn go(self, mut board: Board<Parts>) {
        for (number, &(shower, len)) in (1u32..).zip(self.steps) {
            if board.me() == shower {
                while !board.has_room(len) {
                    thread::yield_now();
                }
                board.show(Label { mark: number, total: len as u64 }, len, |bytes| bytes.fill(number as u8));
            } else {
                board.skip();
                while board.look(shower, number).is_none() {
                    thread::yield_now();
                }
                assert_eq!(board.look(shower, number), Some(Label { mark: number, total: len as u64 }));
                assert_eq!(board.read(shower, number, len, |bytes| bytes[0]), Some(number as u8));
            }
            board.pass(number, len);
        }
    }

    fn check(self) {
        explore(2, move || {
            let parts = Parts::new(2);
            let other = Board::new(Parts(parts.0.clone()), 1, 2);
            let thread = thread::spawn(move || self.go(other));
            self.go(Board::new(parts, 0, 2));
            thread.join().unwrap();
        });
    }
}

#[test]
fn who_shows_runs_ahead_and_overwrites_nothing() {
    Plan { steps: &[(0, 8), (0, 8), (0, 8), (0, 8), (0, 8), (0, 8)] }.check();
}

#[test]
fn members_take_turns() {
    Plan { steps: &[(0, 8), (1, 8), (0, 8), (1, 8), (0, 8)] }.check();
}

/// The data area is full before the slots are.
#[test]
fn long_messages_go_round_the_data_area() {
    const LONG: usize = 3 * 64;
    const { assert!(LONG > SHORT) };
    Plan { steps: &[(0, LONG), (0, LONG), (0, LONG), (0, LONG), (0, LONG), (0, LONG), (0, LONG)] }.check();
}
