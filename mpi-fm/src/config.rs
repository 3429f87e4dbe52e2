//! The engine's settings: one typed structure, filled once when the process starts.

use crate::coll::Tuning;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::{Acquire, Relaxed, Release}};

/// Settings of the point-to-point protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Longest message, in bytes, that travels with its envelope before the receive is known; one packet of the device at most.
    pub eager_bytes_max: usize,
    /// Unexpected messages that one sender may leave with one receiver, in messages …
    pub unexpected_messages_max: u32,
    /// … and in bytes. Beyond either, only envelopes are sent. Sender and receiver count alike, so all processes have the same.
    pub unexpected_bytes_max: u64,
    /// Shortest body, in bytes, that the receiver reads out of the sender's memory where the device can: longer messages are not eager
    /// there.
    pub fetch_bytes_min: u64,
    /// Longest such body, unless the sender may help, or this process has to send one, too. The pushing of longer ones keeps two cores busy,
    /// which fetches more from main memory than one can.
    pub fetch_bytes_max: u64,
    /// Shortest such body to which the receiver asks the sender to help.
    pub help_bytes_min: u64,
    /// Of such a body one round of progress reads so many bytes at most.
    pub fetch_piece_bytes: u64,
    /// Packets that one round of progress takes from the network.
    pub extract_packets: usize,
    /// Packets of large messages that one round of progress sends to one peer.
    pub push_packets: usize,
    /// Of collectives. All processes have the same.
    pub tuning: Tuning,
}

impl Config {
    /// Where the device does not know better.
    pub const EAGER_BYTES_MAX: usize = 16 << 10;
    pub const FETCH_BYTES_MIN: u64 = 8 << 10;

    pub const DEFAULT: Config = Config {
        eager_bytes_max: Config::EAGER_BYTES_MAX,
        unexpected_messages_max: 16384,
        unexpected_bytes_max: 1 << 20,
        fetch_bytes_min: Config::FETCH_BYTES_MIN,
        fetch_bytes_max: 512 << 10,
        help_bytes_min: 64 << 10,
        fetch_piece_bytes: 4 << 20,
        extract_packets: 64,
        push_packets: 16,
        tuning: Tuning::DEFAULT,
    };

    /// Sets what a table of thresholds (`cargo xtask tune`) may name. Returns whether there is such a name; the value is one that it allows.
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        if name == "eager_bytes_max" {
            self.eager_bytes_max = usize::try_from(value).unwrap_or(usize::MAX);
            return true;
        }
        self.field(name).map(|field| *field = value).is_some()
    }

    /// What [`set`](Config::set) sets.
    pub fn get(mut self, name: &str) -> Option<u64> {
        if name == "eager_bytes_max" { Some(self.eager_bytes_max as u64) } else { self.field(name).map(|field| *field) }
    }

    fn field(&mut self, name: &str) -> Option<&mut u64> {
        match name {
            "fetch_bytes_min" => Some(&mut self.fetch_bytes_min),
            "fetch_bytes_max" => Some(&mut self.fetch_bytes_max),
            "help_bytes_min" => Some(&mut self.help_bytes_min),
            _ => self.tuning.field(name),
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::DEFAULT
    }
}

/// Those that concern this process alone may change while it runs; the next message or round of progress goes by the new value.
macro_rules! settings {
    ($($name:ident: $type:ty = $atomic:ident;)*) => {
        /// The settings of a running process.
        pub struct Settings {
            start: Config,
            $($name: $atomic,)*
            adopted: AtomicU32,
        }

        impl Settings {
            pub fn new(start: Config) -> Settings {
                Settings { start, $($name: $atomic::new(start.$name),)* adopted: AtomicU32::new(0) }
            }

            $(#[inline]
            pub fn $name(&self) -> $type {
                self.$name.load(Relaxed)
            })*

            /// What is in force now.
            pub fn now(&self) -> Config {
                Config { $($name: self.$name(),)* ..self.start }
            }

            /// Takes over from `wanted` what may change while the process runs.
            pub fn adopt(&self, wanted: &Config) {
                $(self.$name.store(wanted.$name, Relaxed);)*
                self.adopted.fetch_add(1, Release);
            }
        }
    };
}

settings! {
    eager_bytes_max: usize = AtomicUsize;
    fetch_bytes_min: u64 = AtomicU64;
    fetch_bytes_max: u64 = AtomicU64;
    help_bytes_min: u64 = AtomicU64;
    fetch_piece_bytes: u64 = AtomicU64;
    extract_packets: usize = AtomicUsize;
    push_packets: usize = AtomicUsize;
}

impl Settings {
    /// A number that changes when settings do, for who keeps what follows from them.
    #[inline]
    pub fn version(&self) -> u32 {
        self.adopted.load(Acquire)
    }

    /// Fixed when the process starts: members of a communicator choose alike.
    #[inline]
    pub fn tuning(&self) -> &Tuning {
        &self.start.tuning
    }

    #[inline]
    pub fn unexpected_messages_max(&self) -> u32 {
        self.start.unexpected_messages_max
    }

    #[inline]
    pub fn unexpected_bytes_max(&self) -> u64 {
        self.start.unexpected_bytes_max
    }
}
