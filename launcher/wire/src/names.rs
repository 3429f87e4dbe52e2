//! The names of the environment variables, and the version of what they mean.

/// Rises with every change after which an older library or launcher would misread the newer one, be it of what stands here, or of what the
/// libraries of a job tell each other. A container's library and the host's launcher meet here, so a difference is an error that names
/// both versions, never a guess.
pub const VERSION: u32 = 4;

/// [`VERSION`] of the launcher.
pub const WIRE_VERSION: &str = "HPVM_WIRE_VERSION";
/// Rank in `MPI_COMM_WORLD`.
pub const RANK: &str = "HPVM_RANK";
/// Size of `MPI_COMM_WORLD`.
pub const SIZE: &str = "HPVM_SIZE";
/// Position among the ranks of this node.
pub const LOCAL_RANK: &str = "HPVM_LOCAL_RANK";
/// Number of ranks on this node.
pub const LOCAL_SIZE: &str = "HPVM_LOCAL_SIZE";
/// Number of this node among those of the job. Ranks with the same number share memory; nothing else says who does, since
/// containers and virtual machines may share or copy a host name and a boot id.
pub const NODE: &str = "HPVM_NODE";
/// Which part of an MPMD command line this rank runs: the attribute `MPI_APPNUM`.
pub const APPNUM: &str = "HPVM_APPNUM";
/// The attribute `MPI_UNIVERSE_SIZE`.
pub const UNIVERSE_SIZE: &str = "HPVM_UNIVERSE_SIZE";
/// Process id of `hpvmrun`, through whose `/proc/PID/fd` a closed descriptor is found again.
pub const LAUNCHER_PID: &str = "HPVM_LAUNCHER_PID";
/// The node's message memory, a memfd that only grows; see [`crate::Descriptor`] for the form.
pub const MEM_FD: &str = "HPVM_MEM_FD";
/// The status board, a memfd of fixed size.
pub const STATUS_FD: &str = "HPVM_STATUS_FD";
/// The bell; see [`crate::event`].
pub const EVENT_FD: &str = "HPVM_EVENT_FD";
/// The job's network as a file (see [`crate::network`]), where ranks do not all reach each other through shared memory.
pub const NET_FD: &str = "HPVM_NET_FD";
/// There: the socket at which this rank listens.
pub const LISTEN_FD: &str = "HPVM_LISTEN_FD";

/// What a table of thresholds sets, if there is one: see [`crate::tuning`]. The same for all ranks of a job.
pub const THRESHOLDS: &str = "HPVM_THRESHOLDS";

/// Everything above but that: what a launcher that starts a job inside a rank of another job must replace.
pub const ALL: [&str; 14] = [
    WIRE_VERSION,
    RANK,
    SIZE,
    LOCAL_RANK,
    LOCAL_SIZE,
    NODE,
    APPNUM,
    UNIVERSE_SIZE,
    LAUNCHER_PID,
    MEM_FD,
    STATUS_FD,
    EVENT_FD,
    NET_FD,
    LISTEN_FD,
];
