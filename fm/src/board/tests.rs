use super::*;
use crate::sim::{Network, Plan, Random};
use std::sync::Arc;

/// The processes of a node, and their places.
fn places(nodes: u32, region_size: usize) -> Vec<Arc<Places>> {
    let network = Network::new(1, nodes, Plan { region_size, ..Plan::default() });
    let place = |me| Arc::new(Places::new(network.device(Peer(me)).neighbours().expect("regions were asked for"), Peer(me)));
    (0..nodes).map(place).collect()
}

fn open(places: &[Arc<Places>]) -> Vec<places::Opened> {
    let members: Vec<Peer> = (0..places.len() as u32).map(Peer).collect();
    let offers: Vec<Place> = places.iter().map(|places| places.reserve(members.len()).expect("room for a part")).collect();
    (0..members.len()).map(|me| places[me].open(&members, me, &offers).expect("all see all")).collect()
}

/// What the members do in a step, the same for all: drawn from the step's number.
struct Step {
    /// Who shows something; nobody in particular: everyone does.
    root: Option<usize>,
    len: usize,
}

impl Step {
    fn of(step: u32, members: usize, longest: usize) -> Step {
        let mut random = Random::new(u64::from(step));
        let roots = if random.below(2) == 0 { 1 } else { members as u64 };
        let root = (random.below(3) > 0).then(|| random.below(roots) as usize);
        let len = match random.below(8) {
            0 => random.below(longest as u64 + 1) as usize,
            1 | 2 => random.below(5000) as usize,
            _ => random.below(100) as usize,
        };
        Step { root, len }
    }

    fn shows(&self, member: usize) -> bool {
        self.root.is_none_or(|root| root == member)
    }

    /// Byte `index` of what `member` shows in a step.
    fn byte(step: u32, member: usize, index: usize) -> u8 {
        (step as usize * 31 + member * 7 + index) as u8
    }
}

struct Member {
    board: places::Opened,
    /// Of the step that it is in: the number, once it has done its own part, and how many others it has looked at.
    shown: Option<u32>,
    looked: usize,
    done: u32,
}

impl Member {
    /// Goes on as far as it can, `most` moves at most. Returns whether it could at all.
    fn go_on(&mut self, mut most: u64) -> bool {
        let mut moved = false;
        while most > 0 && self.step() {
            moved = true;
            most -= 1;
        }
        moved
    }

    fn step(&mut self) -> bool {
        let (me, members) = (self.board.me(), self.board.members());
        let plan = Step::of(self.done + 1, members, self.board.longest());
        let Some(step) = self.shown else {
            let len = if plan.shows(me) { plan.len } else { 0 };
            if !self.board.has_room(len) {
                return false;
            }
            let number = self.done + 1;
            let fill = |bytes: &mut [u8]| (0..).zip(bytes).for_each(|(index, byte)| *byte = Step::byte(number, me, index));
            // Who has nothing to show may say so, or not.
            let step = if plan.shows(me) || number.is_multiple_of(3) {
                self.board.show(Label { mark: number, total: len as u64 }, len, fill)
            } else {
                self.board.skip()
            };
            assert_eq!(step, number);
            self.shown = Some(step);
            return true;
        };
        while self.looked < members {
            let from = self.looked;
            if from != me && plan.shows(from) {
                let Some(label) = self.board.look(from, step) else { return false };
                assert_eq!(label, Label { mark: step, total: plan.len as u64 });
                let right = |bytes: &[u8]| {
                    bytes.len() == plan.len && (0..).zip(bytes).all(|(index, byte)| *byte == Step::byte(step, from, index))
                };
                assert_eq!(self.board.read(from, step, plan.len, right), Some(true), "what {from} shows {me} in step {step}");
            }
            self.looked += 1;
        }
        self.board.pass(step, plan.len);
        self.done = step;
        self.looked = 0;
        self.shown = None;
        true
    }
}

#[test]
fn members_at_any_pace_see_what_is_shown() {
    const STEPS: u32 = 1500;
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let size = 2 + random.below(5) as u32;
        let boards = open(&places(size, 4 << 20));
        let mut members: Vec<Member> =
            boards.into_iter().map(|board| Member { board, shown: None, looked: 0, done: 0 }).collect();
        while members.iter().any(|member| member.done < STEPS) {
            let first = random.below(size.into()) as usize;
            let most = 1 << random.below(9);
            let moved = (0..members.len()).any(|next| members[(first + next) % size as usize].go_on(most));
            let at: Vec<_> = members.iter().map(|member| (member.done, member.shown)).collect();
            assert!(moved, "nobody can go on: {at:?} (seed {seed})");
        }
    }
}

#[test]
fn a_part_is_used_again_when_all_have_closed_it() {
    let places = places(2, part::part_size(2).next_multiple_of(4096));
    for _ in 0..3 {
        let mut boards = open(&places);
        assert!(places[0].reserve(2).is_none(), "a region has room for one part");
        boards[0].show(Label::default(), 1, |byte| byte[0] = 7);
        drop(boards.remove(0));
        assert!(places[0].reserve(2).is_none(), "member 1 may still look");
        assert_eq!(boards[0].read(0, 1, 1, |byte| byte[0]), Some(7));
    }
}
