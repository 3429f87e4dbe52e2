//! What libfabric's binary interface is made of: the part of it that this device uses, declared here because the library is loaded at run
//! time and its headers need not be there when we are built.
//!
//! The layouts are those of version `FABRIC_1.3` of the interface, which every library since 1.8 serves. Later versions have only added
//! members at the end of what the library itself allocates. A table of functions begins with its own size and is declared here up to the last
//! function that is used. Entries that are not used are words. `tests.rs` has a C compiler check all of it against the installed headers.

use std::ffi::{c_char, c_int, c_void};

/// `fi_addr_t`: a peer's number in an address vector.
pub type Address = u64;

/// `FI_VERSION(1, 14)`: what we ask for. Its rules hold in all later versions for who asks for it.
pub const API: u32 = 1 << 16 | 14;

// What an endpoint can do.
pub const FI_MSG: u64 = 1 << 1;
pub const FI_RMA: u64 = 1 << 2;
pub const FI_READ: u64 = 1 << 8;
pub const FI_RECV: u64 = 1 << 10;
pub const FI_SEND: u64 = 1 << 11;
pub const FI_REMOTE_READ: u64 = 1 << 12;

// What it asks of its user. Both are words in front of an operation's context, of which the larger one serves for both.
pub const FI_CONTEXT: u64 = 1 << 59;
pub const FI_CONTEXT2: u64 = 1 << 52;

/// Words of a `struct fi_context2`.
pub const CONTEXT_WORDS: usize = 8;

/// Sends arrive in their order.
pub const FI_ORDER_SAS: u64 = 1 << 8;

// What it asks of memory.
pub const FI_MR_LOCAL: c_int = 1 << 2;
pub const FI_MR_VIRT_ADDR: c_int = 1 << 4;
pub const FI_MR_ALLOCATED: c_int = 1 << 5;
pub const FI_MR_PROV_KEY: c_int = 1 << 6;
pub const FI_MR_ENDPOINT: c_int = 1 << 9;

// Of enumerations, the values that are used.
pub const FI_EP_RDM: c_int = 3;
pub const FI_THREAD_DOMAIN: c_int = 3;
pub const FI_RM_ENABLED: c_int = 2;
pub const FI_PROGRESS_AUTO: c_int = 1;
pub const FI_SOCKADDR_IN: u32 = 2;
pub const FI_SOCKADDR_IN6: u32 = 3;
pub const FI_CQ_FORMAT_MSG: c_int = 2;
pub const FI_WAIT_NONE: c_int = 0;
pub const FI_WAIT_FD: c_int = 3;
pub const FI_GETWAIT: c_int = 5;
pub const FI_ENABLE: c_int = 6;

/// For an endpoint and its completion queue.
pub const FI_TRANSMIT: u64 = FI_SEND;

// Errors of its own, as it returns them. Others are the system's.
pub const FI_ETOOSMALL: isize = 257;
pub const FI_EAVAIL: isize = 259;

#[repr(C)]
pub struct Info {
    pub next: *mut Info,
    pub caps: u64,
    pub mode: u64,
    pub addr_format: u32,
    pub src_addrlen: usize,
    pub dest_addrlen: usize,
    pub src_addr: *mut c_void,
    pub dest_addr: *mut c_void,
    pub handle: *mut Fid,
    pub tx_attr: *mut TxAttr,
    pub rx_attr: *mut RxAttr,
    pub ep_attr: *mut EpAttr,
    pub domain_attr: *mut DomainAttr,
    pub fabric_attr: *mut FabricAttr,
    pub nic: *mut c_void,
}

#[repr(C)]
pub struct TxAttr {
    pub caps: u64,
    pub mode: u64,
    pub op_flags: u64,
    pub msg_order: u64,
    pub comp_order: u64,
    pub inject_size: usize,
    pub size: usize,
    pub iov_limit: usize,
    pub rma_iov_limit: usize,
    pub tclass: u32,
}

#[repr(C)]
pub struct RxAttr {
    pub caps: u64,
    pub mode: u64,
    pub op_flags: u64,
    pub msg_order: u64,
    pub comp_order: u64,
    pub total_buffered_recv: usize,
    pub size: usize,
    pub iov_limit: usize,
}

#[repr(C)]
pub struct EpAttr {
    pub kind: c_int,
    pub protocol: u32,
    pub protocol_version: u32,
    pub max_msg_size: usize,
}

#[repr(C)]
pub struct DomainAttr {
    pub domain: *mut DomainFid,
    pub name: *mut c_char,
    pub threading: c_int,
    pub control_progress: c_int,
    pub data_progress: c_int,
    pub resource_mgmt: c_int,
    pub av_type: c_int,
    pub mr_mode: c_int,
    pub mr_key_size: usize,
}

#[repr(C)]
pub struct FabricAttr {
    pub fabric: *mut FabricFid,
    pub name: *mut c_char,
    pub prov_name: *mut c_char,
    pub prov_version: u32,
    pub api_version: u32,
}

/// What every object begins with.
#[repr(C)]
pub struct Fid {
    pub class: usize,
    pub context: *mut c_void,
    pub ops: *const FidOps,
}

#[repr(C)]
pub struct FidOps {
    pub size: usize,
    pub close: unsafe extern "C" fn(*mut Fid) -> c_int,
    pub bind: unsafe extern "C" fn(*mut Fid, *mut Fid, u64) -> c_int,
    pub control: unsafe extern "C" fn(*mut Fid, c_int, *mut c_void) -> c_int,
}

#[repr(C)]
pub struct FabricFid {
    pub fid: Fid,
    pub ops: *const FabricOps,
}

#[repr(C)]
pub struct FabricOps {
    pub size: usize,
    pub domain: unsafe extern "C" fn(*mut FabricFid, *mut Info, *mut *mut DomainFid, *mut c_void) -> c_int,
    pub passive_ep: usize,
    pub eq_open: usize,
    pub wait_open: usize,
    pub trywait: unsafe extern "C" fn(*mut FabricFid, *mut *mut Fid, c_int) -> c_int,
}

#[repr(C)]
pub struct DomainFid {
    pub fid: Fid,
    pub ops: *const DomainOps,
    pub mr: *const MrOps,
}

#[repr(C)]
pub struct DomainOps {
    pub size: usize,
    pub av_open: unsafe extern "C" fn(*mut DomainFid, *mut AvAttr, *mut *mut AvFid, *mut c_void) -> c_int,
    pub cq_open: unsafe extern "C" fn(*mut DomainFid, *mut CqAttr, *mut *mut CqFid, *mut c_void) -> c_int,
    pub endpoint: unsafe extern "C" fn(*mut DomainFid, *mut Info, *mut *mut EpFid, *mut c_void) -> c_int,
}

#[repr(C)]
pub struct MrOps {
    pub size: usize,
    pub reg: unsafe extern "C" fn(*mut Fid, *const c_void, usize, u64, u64, u64, u64, *mut *mut MrFid, *mut c_void) -> c_int,
}

#[repr(C)]
pub struct MrFid {
    pub fid: Fid,
    pub mem_desc: *mut c_void,
    pub key: u64,
}

#[repr(C)]
pub struct AvFid {
    pub fid: Fid,
    pub ops: *const AvOps,
}

#[repr(C)]
pub struct AvOps {
    pub size: usize,
    pub insert: unsafe extern "C" fn(*mut AvFid, *const c_void, usize, *mut Address, u64, *mut c_void) -> c_int,
}

/// `fi_av_attr`, all of it: it is ours.
#[repr(C)]
pub struct AvAttr {
    pub kind: c_int,
    pub rx_ctx_bits: c_int,
    pub count: usize,
    pub ep_per_node: usize,
    pub name: *const c_char,
    pub map_addr: *mut c_void,
    pub flags: u64,
}

/// `fi_cq_attr`, all of it: it is ours.
#[repr(C)]
pub struct CqAttr {
    pub size: usize,
    pub flags: u64,
    pub format: c_int,
    pub wait_obj: c_int,
    pub signaling_vector: c_int,
    pub wait_cond: c_int,
    pub wait_set: *mut c_void,
}

#[repr(C)]
pub struct CqFid {
    pub fid: Fid,
    pub ops: *const CqOps,
}

#[repr(C)]
pub struct CqOps {
    pub size: usize,
    pub read: unsafe extern "C" fn(*mut CqFid, *mut c_void, usize) -> isize,
    pub readfrom: usize,
    pub readerr: unsafe extern "C" fn(*mut CqFid, *mut CqError, u64) -> isize,
    pub sread: usize,
    pub sreadfrom: usize,
    pub signal: usize,
    pub strerror: unsafe extern "C" fn(*mut CqFid, c_int, *const c_void, *mut c_char, usize) -> *const c_char,
}

/// `fi_cq_msg_entry`, all of it: it is ours.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CqEntry {
    pub context: *mut c_void,
    pub flags: u64,
    pub len: usize,
}

/// `fi_cq_err_entry`: it is ours, so that there is room for what later versions add.
#[repr(C)]
pub struct CqError {
    pub context: *mut c_void,
    pub flags: u64,
    pub len: usize,
    pub buf: *mut c_void,
    pub data: u64,
    pub tag: u64,
    pub olen: usize,
    pub err: c_int,
    pub prov_errno: c_int,
    pub err_data: *mut c_void,
    pub err_data_size: usize,
    pub room: [u64; 8],
}

#[repr(C)]
pub struct EpFid {
    pub fid: Fid,
    pub ops: *const c_void,
    pub cm: *const CmOps,
    pub msg: *const MsgOps,
    pub rma: *const RmaOps,
}

#[repr(C)]
pub struct CmOps {
    pub size: usize,
    pub setname: usize,
    pub getname: unsafe extern "C" fn(*mut Fid, *mut c_void, *mut usize) -> c_int,
}

#[repr(C)]
pub struct MsgOps {
    pub size: usize,
    pub recv: unsafe extern "C" fn(*mut EpFid, *mut c_void, usize, *mut c_void, Address, *mut c_void) -> isize,
    pub recvv: usize,
    pub recvmsg: usize,
    pub send: unsafe extern "C" fn(*mut EpFid, *const c_void, usize, *mut c_void, Address, *mut c_void) -> isize,
    pub sendv: usize,
    pub sendmsg: usize,
    pub inject: unsafe extern "C" fn(*mut EpFid, *const c_void, usize, Address) -> isize,
}

#[repr(C)]
pub struct RmaOps {
    pub size: usize,
    pub read: unsafe extern "C" fn(*mut EpFid, *mut c_void, usize, *mut c_void, Address, u64, u64, *mut c_void) -> isize,
}

/// `FI_ADDR_UNSPEC`: receives from anybody.
pub const ANYBODY: Address = u64::MAX;
