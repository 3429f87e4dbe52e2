//! The engine's settings: one typed structure, filled once when the process starts.

/// Settings of the point-to-point protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Longest message, in bytes, that travels with its envelope before the receive is known; one packet of the device at most.
    pub eager_bytes_max: usize,
    /// Unexpected messages that one sender may leave with one receiver, in messages …
    pub unexpected_messages_max: u32,
    /// … and in bytes. Beyond either, only envelopes are sent.
    pub unexpected_bytes_max: u64,
    /// Shortest body, in bytes, that the receiver reads out of the sender's memory where the device can: longer messages are not eager
    /// there.
    pub fetch_bytes_min: u64,
    /// Longest such body. The pushing of longer ones keeps two cores busy, which fetches more from main memory than one can.
    pub fetch_bytes_max: u64,
    /// Of such a body one round of progress reads so many bytes at most.
    pub fetch_piece_bytes: u64,
    /// Packets that one round of progress takes from the network.
    pub extract_packets: usize,
    /// Packets of large messages that one round of progress sends to one peer.
    pub push_packets: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            eager_bytes_max: 16 << 10,
            unexpected_messages_max: 4096,
            unexpected_bytes_max: 1 << 20,
            fetch_bytes_min: 8 << 10,
            fetch_bytes_max: 512 << 10,
            fetch_piece_bytes: 1 << 20,
            extract_packets: 64,
            push_packets: 16,
        }
    }
}
