//! Reduction by recursive halving, and the way back.
//!
//! In round `k` partners at distance `2^k` split the range of items that both have: each sends the half that the other keeps, and
//! reduces the half it keeps. Partners near by come first, so that what is reduced always stems from neighbouring ranks and the order of
//! operands can be kept. In the end every place has one range of finished items.

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::coll::fold::Fold;
use crate::op::Op;

/// One place in the exchange.
#[derive(Clone, Copy)]
pub struct Halving {
    pub fold: Fold,
    pub place: usize,
}

/// Items `from .. to`.
type Range = (usize, usize);

impl Halving {
    fn rounds(&self) -> u32 {
        self.fold.places.ilog2()
    }

    /// The items that `place` has before round `round`.
    fn range(place: usize, round: u32, items: usize) -> Range {
        let (mut from, mut to) = (0, items);
        for round in 0..round {
            let middle = from + (to - from) / 2;
            if place >> round & 1 == 0 {
                to = middle;
            } else {
                from = middle;
            }
        }
        (from, to)
    }

    /// After this, the items of this place's last range are reduced in `data`; the others are not of use any more.
    ///
    /// `scratch` is as long as `data`.
    pub async fn reduce(&self, cx: &Cx<'_>, data: Buf<'_>, scratch: Buf<'_>, op: &Op) {
        for round in 0..self.rounds() {
            let partner = self.place ^ 1 << round;
            let rank = self.fold.rank(partner);
            let (kept, given) = [self.place, partner].map(|place| Self::range(place, round + 1, data.count())).into();
            let (ours, theirs) = (part(data, kept), part(scratch, kept));
            cx.note(cx.sendrecv(part(data, given), rank, theirs, rank).await);
            if partner < self.place || op.is_commutative() {
                // Each item is reduced at one place only: no other member could have it in other order.
                cx.apply(op, &theirs, &ours);
            } else {
                cx.apply(op, &ours, &theirs);
                theirs.copy_to(&ours);
            }
        }
    }

    /// The way back: after this everyone has all items.
    pub async fn gather_to_all(&self, cx: &Cx<'_>, data: Buf<'_>) {
        for round in (0..self.rounds()).rev() {
            let partner = self.place ^ 1 << round;
            let rank = self.fold.rank(partner);
            let (kept, given) = [self.place, partner].map(|place| Self::range(place, round + 1, data.count())).into();
            cx.note(cx.sendrecv(part(data, kept), rank, part(data, given), rank).await);
        }
    }

    /// The way back to one place: after this that one has all items.
    pub async fn gather_to(&self, cx: &Cx<'_>, data: Buf<'_>, root: usize) {
        for round in (0..self.rounds()).rev() {
            let partner = self.place ^ 1 << round;
            let rank = self.fold.rank(partner);
            // Those who are in the root's half of this round's split collect from the others, who have done their part.
            if (self.place ^ root) >> round & 1 == 0 {
                cx.note(cx.recv(part(data, Self::range(partner, round + 1, data.count())), rank).await);
            } else {
                cx.note(cx.send(part(data, Self::range(self.place, round + 1, data.count())), rank).await);
                return;
            }
        }
    }
}

fn part(data: Buf<'_>, (from, to): Range) -> Buf<'_> {
    data.slice(from, to - from)
}
