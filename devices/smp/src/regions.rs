//! Memory for boards, and the bells of their members.

use crate::layout::Control;
use crate::segment::Part;
use crate::shared::Shared;
use fm::Peer;
use fm::board::{Bell, Neighbours};
use std::ptr::NonNull;
use std::sync::Arc;

pub struct Regions {
    shared: Arc<Shared>,
}

impl Regions {
    pub fn new(shared: Arc<Shared>) -> Self {
        Regions { shared }
    }
}

impl Neighbours for Regions {
    fn region(&self, owner: Peer) -> Option<NonNull<[u8]>> {
        Some(self.shared.segment.region(self.shared.find(owner)?))
    }

    fn bell(&self, members: &[Peer]) -> Box<dyn Bell> {
        let shared = &self.shared;
        let others = members.iter().map(|&peer| shared.number_of(peer)).filter(|&number| number != shared.me);
        let controls = others.map(|number| Part::new(&shared.segment, |segment| segment.control(number))).collect();
        Box::new(Bells { shared: shared.clone(), controls })
    }
}

struct Bells {
    shared: Arc<Shared>,
    controls: Box<[Part<Control>]>,
}

impl Bell for Bells {
    #[inline]
    fn ring(&self) {
        for control in &self.controls {
            self.shared.wake_for_message(control);
        }
    }
}
