//! Taking an input apart into numbers and pieces. It never runs out: behind the end there are zeroes and nothing.

pub struct Input<'i>(pub &'i [u8]);

impl<'i> Input<'i> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        let byte = self.0.first().copied().unwrap_or(0);
        self.0 = self.0.get(1..).unwrap_or_default();
        byte
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.u8()))
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, most: usize) -> &'i [u8] {
        let (bytes, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// What comes up to the next `end`, without it.
    pub fn until(&mut self, end: u8) -> &'i [u8] {
        let at = self.0.iter().position(|byte| *byte == end).unwrap_or(self.0.len());
        let bytes = self.bytes(at);
        self.u8();
        bytes
    }
}
