//! A sender's large cells: lent to receivers by index, for payloads that do not fit a ring's cell.
//!
//! The cell of a ring names the large cell; when the receiver's head has passed the one, the other is free again. There is
//! no queue of returns: the sender notes which cell it lent at which position, and looks at heads when it runs short. Cells
//! that came back last are lent first, so that a sender of small messages touches few pages and stays in cache.

use std::collections::VecDeque;

/// Address space of one sender's pool.
pub const POOL_SIZE: usize = 2 << 20;

/// Cells of one size.
struct Class {
    size: usize,
    count: usize,
    /// Bytes from the pool's start.
    offset: usize,
    /// How many cells one receiver holds before we look whether it has returned some, instead of taking fresh ones.
    window: usize,
}

/// Room beside a power of two, for what the layers above put in front of the user's bytes.
const SLACK: usize = 128;

const CLASSES: [Class; 3] = {
    let small = Class { size: 2048 + SLACK, count: 192, offset: 0, window: 16 };
    let medium = Class { size: 8192 + SLACK, count: 64, offset: small.offset + small.size * small.count, window: 16 };
    let large = Class { size: 32768 + SLACK, count: 32, offset: medium.offset + medium.size * medium.count, window: 8 };
    assert!(large.offset + large.size * large.count <= POOL_SIZE);
    [small, medium, large]
};

/// Largest payload of a cell.
pub const LARGEST: usize = CLASSES[CLASSES.len() - 1].size;

/// Names a cell of a pool: which class, and which of its cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CellIndex(u32);

impl CellIndex {
    fn new(class: usize, number: usize) -> Self {
        CellIndex((class << 16 | number) as u32)
    }

    pub fn to_bits(self) -> u32 {
        self.0
    }

    fn class(self) -> usize {
        (self.0 >> 16) as usize
    }
}

/// Where the cell named by `bits` starts in its pool, if there is such a cell and it holds `len` bytes. `bits` and `len` come
/// from another process.
#[inline]
pub fn locate(bits: u32, len: usize) -> Option<usize> {
    let class = CLASSES.get((bits >> 16) as usize)?;
    let number = (bits & 0xffff) as usize;
    (number < class.count && len <= class.size).then(|| class.offset + number * class.size)
}

/// Why there is no cell for a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortage {
    /// The receiver holds as many as it may.
    Window,
    /// None is free: whoever holds cells may return one.
    Pool,
}

/// The sender's record of its pool.
pub struct Pool {
    free: [Vec<CellIndex>; CLASSES.len()],
    /// By receiver.
    accounts: Box<[Account]>,
    /// The receivers that hold something.
    holders: Vec<u32>,
    taken_since_settled: u32,
}

/// After this many cells we look who has returned some, although fresh ones are left: those would take up memory.
const SETTLE_AFTER: u32 = 32;

#[derive(Default)]
struct Account {
    /// What the receiver holds, the oldest first.
    loans: VecDeque<Loan>,
    /// The cells it had passed when we looked last.
    head_seen: u32,
    /// It is among the holders.
    listed: bool,
}

struct Loan {
    /// The count of cells that the receiver has passed once it is through with this one.
    until: u32,
    cell: CellIndex,
}

impl Pool {
    pub fn new(receivers: usize) -> Self {
        let cells = |class: usize| (0..CLASSES[class].count).rev().map(|number| CellIndex::new(class, number)).collect();
        Pool {
            free: std::array::from_fn(cells),
            accounts: (0..receivers).map(|_| Account::default()).collect(),
            holders: Vec::new(),
            taken_since_settled: 0,
        }
    }

    /// A free cell for `len` bytes (at most [`LARGEST`]) to `receiver`, if there is one. `head` reads how many cells a receiver
    /// has passed.
    pub fn take(&mut self, receiver: u32, len: usize, head: impl Fn(u32) -> u32) -> Result<CellIndex, Shortage> {
        let fitting = CLASSES.iter().position(|class| len <= class.size).ok_or(Shortage::Pool)?;
        let window = CLASSES[fitting].window;
        if self.held(receiver) >= window {
            self.settle(receiver, head(receiver));
            if fitting == CLASSES.len() - 1 && self.held(receiver) >= window {
                // Running further ahead would only push what the receiver is about to read out of the cache.
                return Err(Shortage::Window);
            }
        }
        self.taken_since_settled += 1;
        if self.free[fitting].is_empty() || self.taken_since_settled >= SETTLE_AFTER {
            self.settle_all(head);
        }
        self.free[fitting..].iter_mut().find_map(Vec::pop).ok_or(Shortage::Pool)
    }

    /// `cell` goes to `receiver`, which is through with it once it has passed `until` cells.
    pub fn lend(&mut self, receiver: u32, until: u32, cell: CellIndex) {
        let account = &mut self.accounts[receiver as usize];
        if !std::mem::replace(&mut account.listed, true) {
            self.holders.push(receiver);
        }
        account.loans.push_back(Loan { until, cell });
    }

    /// `cell` was taken and is not needed.
    pub fn give_back(&mut self, cell: CellIndex) {
        self.free[cell.class()].push(cell);
    }

    /// Who can end the shortage that `receiver` met, with the heads that the refusal was based on.
    pub fn causes(&self, receiver: u32, shortage: Shortage) -> impl Iterator<Item = (u32, u32)> {
        let concerned = move |&holder: &u32| shortage == Shortage::Pool || holder == receiver;
        let with_head = |holder| (holder, self.accounts[holder as usize].head_seen);
        self.holders.iter().copied().filter(concerned).map(with_head)
    }

    fn held(&self, receiver: u32) -> usize {
        self.accounts[receiver as usize].loans.len()
    }

    fn settle(&mut self, receiver: u32, head: u32) {
        let Account { loans, head_seen, .. } = &mut self.accounts[receiver as usize];
        *head_seen = head;
        while let Some(loan) = loans.front()
            && head.wrapping_sub(loan.until) as i32 >= 0
        {
            self.free[loan.cell.class()].push(loan.cell);
            loans.pop_front();
        }
    }

    fn settle_all(&mut self, head: impl Fn(u32) -> u32) {
        self.taken_since_settled = 0;
        for index in (0..self.holders.len()).rev() {
            let receiver = self.holders[index];
            self.settle(receiver, head(receiver));
            let account = &mut self.accounts[receiver as usize];
            if account.loans.is_empty() {
                account.listed = false;
                self.holders.swap_remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_apart_inside_the_pool() {
        let mut spans = Vec::new();
        for (index, class) in CLASSES.iter().enumerate() {
            for number in 0..class.count {
                let start = locate(CellIndex::new(index, number).to_bits(), class.size).unwrap();
                spans.push((start, start + class.size));
            }
        }
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        assert!(spans.iter().all(|span| span.0 % 64 == 0 && span.1 <= POOL_SIZE));
    }

    #[test]
    fn made_up_indexes_are_refused() {
        assert_eq!(locate(u32::MAX, 1), None);
        assert_eq!(locate(3 << 16, 1), None);
        assert_eq!(locate(192, 1), None);
        assert_eq!(locate(0, 2048 + SLACK + 1), None);
        assert_eq!(locate(0, usize::MAX), None);
    }

    #[test]
    fn cells_return_when_the_head_has_passed() {
        let mut pool = Pool::new(2);
        let window = CLASSES[2].window;
        for position in 0..window {
            let cell = pool.take(1, LARGEST, |_| 0).unwrap();
            pool.lend(1, position as u32 + 1, cell);
        }
        assert_eq!(pool.take(1, LARGEST, |_| 0), Err(Shortage::Window));
        let again = pool.take(1, LARGEST, |_| 1).expect("the first is back");
        pool.give_back(again);
        assert_eq!(pool.take(0, LARGEST, |_| 0), Ok(again), "the last returned is lent first");
    }

    #[test]
    fn a_short_class_borrows_from_the_larger_ones() {
        let mut pool = Pool::new(1);
        let total: usize = CLASSES.iter().map(|class| class.count).sum();
        let mut taken = Vec::new();
        while let Ok(cell) = pool.take(0, 100, |_| 0) {
            taken.push(cell);
        }
        assert_eq!(taken.len(), total);
        pool.lend(0, 1, taken[0]);
        assert_eq!(pool.take(0, 100, |_| 1), Ok(taken[0]));
    }
}
