//! Messages longer than one packet.

/// The receiving side of a long message: a state machine that is handed the message's bytes in order, in pieces that
/// need not be those of the sender.
pub trait Receive: Send {
    fn piece(&mut self, bytes: &[u8]);
    /// All bytes have been delivered. Not called when the sender is lost.
    fn end(self: Box<Self>);
}
