//! The targets.
//!
//! Those of the launcher by what they read ([`text`], [`system`], [`frames`], [`noise`], [`relay`], [`board`], [`pmi`]; [`foreign`] is the library's side of other
//! launchers, [`cards`] what ranks then tell each other), then the devices from below ([`datagrams`], [`tcp`], [`segment`]), what they deliver ([`packets`] to Fast Messages, [`messages`] to the engine),
//! and what the engine shares or takes apart beside: [`boards`], [`datatypes`].

mod board;
mod boards;
mod cards;
mod datagrams;
mod datatypes;
#[cfg(not(fuzzing))]
mod elsewhere;
mod foreign;
mod frames;
mod input;
mod messages;
mod noise;
mod packets;
mod pmi;
mod relay;
mod segment;
mod system;
mod tcp;
mod text;

pub struct Target {
    pub name: &'static str,
    /// What it stands for, in a few words.
    pub reads: &'static str,
    pub run: fn(&[u8]),
    /// Valid inputs, from which others are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: &[Target] = &[
    Target { name: "machine-file", reads: "machine files", run: text::machine_file, seeds: text::machine_file_seeds },
    Target { name: "placement", reads: "hostfiles, rank files, --host and --map-by, Slurm's variables", run: text::placement, seeds: text::placement_seeds },
    Target { name: "options", reads: "the command line and HPVM_* variables", run: text::options, seeds: text::options_seeds },
    Target { name: "tuning", reads: "tables of thresholds, and the variable that brings them to ranks", run: text::tuning, seeds: text::tuning_seeds },
    Target { name: "start-up", reads: "a rank's environment and the network's file", run: text::start_up, seeds: text::start_up_seeds },
    Target { name: "output", reads: "what ranks write", run: text::output, seeds: text::output_seeds },
    Target { name: "system", reads: "/proc, control groups, lists of processors, facts of hpvmrun doctor, ssh's words", run: system::run, seeds: system::seeds },
    Target { name: "service", reads: "hpvmd.toml, keys, lists of keys, verdicts", run: text::service, seeds: text::service_seeds },
    Target { name: "handshake", reads: "the handshake with hpvmd --system, and its sealed records", run: noise::run, seeds: noise::seeds },
    Target { name: "frames", reads: "frames between hpvmrun and hpvmd, and a node's job", run: frames::frames, seeds: frames::frames_seeds },
    Target { name: "channel", reads: "the stream of a node: greeting, then frames", run: frames::channel, seeds: frames::channel_seeds },
    Target { name: "relay", reads: "what nodes say to hpvmrun, in any order", run: relay::run, seeds: relay::seeds },
    Target { name: "link", reads: "messages between keepers and hpvmrun", run: frames::link, seeds: frames::link_seeds },
    Target { name: "board", reads: "status lines, on the board and from afar", run: board::run, seeds: board::seeds },
    Target { name: "pmi", reads: "PMI-1, as hpvmrun serves it", run: pmi::run, seeds: pmi::seeds },
    Target { name: "foreign", reads: "PMI-1 of other launchers, and the cards of ranks", run: foreign::run, seeds: foreign::seeds },
    Target { name: "cards", reads: "the cards that ranks tell each other over TCP", run: cards::run, seeds: cards::seeds },
    Target { name: "datagrams", reads: "frames of fm/reliability", run: datagrams::run, seeds: datagrams::seeds },
    Target { name: "tcp", reads: "the first bytes and the packets of a TCP connection", run: tcp::run, seeds: tcp::seeds },
    Target { name: "records", reads: "the records of an encrypted TCP connection", run: tcp::records, seeds: tcp::records_seeds },
    Target { name: "segment", reads: "shared memory that a neighbour writes", run: segment::run, seeds: segment::seeds },
    Target { name: "packets", reads: "packets of Fast Messages: streams, credits", run: packets::run, seeds: packets::seeds },
    Target { name: "messages", reads: "the engine's messages: envelopes, announcements, answers", run: messages::run, seeds: messages::seeds },
    Target { name: "boards", reads: "boards that other members write", run: boards::run, seeds: boards::seeds },
    Target { name: "datatypes", reads: "packed data, plain and in external32", run: datatypes::run, seeds: datatypes::seeds },
];
