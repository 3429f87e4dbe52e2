//! Our declarations against the headers that are installed here, as a C compiler reads them.

use super::abi::*;
use std::fmt::Write as _;
use std::mem::offset_of;
use std::process::Command;

/// What C calls something, and our number for it.
type Row = (&'static str, usize);

macro_rules! offsets {
    ($rows:ident, $c:literal, $ours:ident: $($theirs:literal = $field:ident),* $(,)?) => {
        $($rows.push((concat!("offsetof(struct ", $c, ", ", $theirs, ")"), offset_of!($ours, $field)));)*
    };
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("sizeof(struct fi_av_attr)", size_of::<AvAttr>()),
        ("sizeof(struct fi_cq_attr)", size_of::<CqAttr>()),
        ("sizeof(struct fi_cq_msg_entry)", size_of::<CqEntry>()),
        ("sizeof(struct fi_context2)", CONTEXT_WORDS * size_of::<usize>()),
        ("sizeof(struct fid)", size_of::<Fid>()),
        ("sizeof(fi_addr_t)", size_of::<Address>()),
        // Each of what we allocate for it to write, no more than that.
        // Later versions have added 8 bytes.
        ("sizeof(struct fi_cq_err_entry) <= 144", usize::from(size_of::<CqError>() == 144)),
        ("FI_VERSION(1, 14)", API as usize),
        ("FI_MSG", FI_MSG as usize),
        ("FI_RMA", FI_RMA as usize),
        ("FI_READ", FI_READ as usize),
        ("FI_RECV", FI_RECV as usize),
        ("FI_SEND", FI_SEND as usize),
        ("FI_TRANSMIT", FI_TRANSMIT as usize),
        ("FI_REMOTE_READ", FI_REMOTE_READ as usize),
        ("FI_CONTEXT", FI_CONTEXT as usize),
        ("FI_CONTEXT2", FI_CONTEXT2 as usize),
        ("FI_ORDER_SAS", FI_ORDER_SAS as usize),
        ("FI_MR_LOCAL", FI_MR_LOCAL as usize),
        ("FI_MR_VIRT_ADDR", FI_MR_VIRT_ADDR as usize),
        ("FI_MR_ALLOCATED", FI_MR_ALLOCATED as usize),
        ("FI_MR_PROV_KEY", FI_MR_PROV_KEY as usize),
        ("FI_MR_ENDPOINT", FI_MR_ENDPOINT as usize),
        ("FI_EP_RDM", FI_EP_RDM as usize),
        ("FI_THREAD_DOMAIN", FI_THREAD_DOMAIN as usize),
        ("FI_RM_ENABLED", FI_RM_ENABLED as usize),
        ("FI_PROGRESS_AUTO", FI_PROGRESS_AUTO as usize),
        ("FI_SOCKADDR_IN", FI_SOCKADDR_IN as usize),
        ("FI_SOCKADDR_IN6", FI_SOCKADDR_IN6 as usize),
        ("FI_CQ_FORMAT_MSG", FI_CQ_FORMAT_MSG as usize),
        ("FI_WAIT_NONE", FI_WAIT_NONE as usize),
        ("FI_WAIT_FD", FI_WAIT_FD as usize),
        ("FI_GETWAIT", FI_GETWAIT as usize),
        ("FI_ENABLE", FI_ENABLE as usize),
        ("FI_ETOOSMALL", FI_ETOOSMALL as usize),
        ("FI_EAVAIL", FI_EAVAIL as usize),
        ("FI_ADDR_UNSPEC", ANYBODY as usize),
    ];
    offsets!(rows, "fi_info", Info: "next" = next, "caps" = caps, "mode" = mode, "addr_format" = addr_format, "src_addrlen" = src_addrlen,
        "dest_addrlen" = dest_addrlen, "src_addr" = src_addr, "dest_addr" = dest_addr, "handle" = handle, "tx_attr" = tx_attr,
        "rx_attr" = rx_attr, "ep_attr" = ep_attr, "domain_attr" = domain_attr, "fabric_attr" = fabric_attr, "nic" = nic);
    offsets!(rows, "fi_tx_attr", TxAttr: "caps" = caps, "mode" = mode, "op_flags" = op_flags, "msg_order" = msg_order,
        "comp_order" = comp_order, "inject_size" = inject_size, "size" = size, "iov_limit" = iov_limit, "tclass" = tclass);
    offsets!(rows, "fi_rx_attr", RxAttr: "caps" = caps, "mode" = mode, "op_flags" = op_flags, "msg_order" = msg_order,
        "comp_order" = comp_order, "total_buffered_recv" = total_buffered_recv, "size" = size, "iov_limit" = iov_limit);
    offsets!(rows, "fi_ep_attr", EpAttr: "type" = kind, "protocol" = protocol, "protocol_version" = protocol_version,
        "max_msg_size" = max_msg_size);
    offsets!(rows, "fi_domain_attr", DomainAttr: "domain" = domain, "name" = name, "threading" = threading,
        "control_progress" = control_progress, "data_progress" = data_progress, "resource_mgmt" = resource_mgmt, "av_type" = av_type,
        "mr_mode" = mr_mode, "mr_key_size" = mr_key_size);
    offsets!(rows, "fi_fabric_attr", FabricAttr: "fabric" = fabric, "name" = name, "prov_name" = prov_name,
        "prov_version" = prov_version, "api_version" = api_version);
    offsets!(rows, "fid", Fid: "fclass" = class, "context" = context, "ops" = ops);
    offsets!(rows, "fi_ops", FidOps: "size" = size, "close" = close, "bind" = bind, "control" = control);
    offsets!(rows, "fid_fabric", FabricFid: "fid" = fid, "ops" = ops);
    offsets!(rows, "fi_ops_fabric", FabricOps: "size" = size, "domain" = domain, "trywait" = trywait);
    offsets!(rows, "fid_domain", DomainFid: "fid" = fid, "ops" = ops, "mr" = mr);
    offsets!(rows, "fi_ops_domain", DomainOps: "size" = size, "av_open" = av_open, "cq_open" = cq_open, "endpoint" = endpoint);
    offsets!(rows, "fi_ops_mr", MrOps: "size" = size, "reg" = reg);
    offsets!(rows, "fid_mr", MrFid: "fid" = fid, "mem_desc" = mem_desc, "key" = key);
    offsets!(rows, "fid_av", AvFid: "fid" = fid, "ops" = ops);
    offsets!(rows, "fi_ops_av", AvOps: "size" = size, "insert" = insert);
    offsets!(rows, "fi_av_attr", AvAttr: "type" = kind, "rx_ctx_bits" = rx_ctx_bits, "count" = count, "ep_per_node" = ep_per_node,
        "name" = name, "map_addr" = map_addr, "flags" = flags);
    offsets!(rows, "fi_cq_attr", CqAttr: "size" = size, "flags" = flags, "format" = format, "wait_obj" = wait_obj,
        "signaling_vector" = signaling_vector, "wait_cond" = wait_cond, "wait_set" = wait_set);
    offsets!(rows, "fid_cq", CqFid: "fid" = fid, "ops" = ops);
    offsets!(rows, "fi_ops_cq", CqOps: "size" = size, "read" = read, "readerr" = readerr, "strerror" = strerror);
    offsets!(rows, "fi_cq_msg_entry", CqEntry: "op_context" = context, "flags" = flags, "len" = len);
    offsets!(rows, "fi_cq_err_entry", CqError: "op_context" = context, "flags" = flags, "len" = len, "buf" = buf, "data" = data,
        "tag" = tag, "olen" = olen, "err" = err, "prov_errno" = prov_errno, "err_data" = err_data, "err_data_size" = err_data_size);
    offsets!(rows, "fid_ep", EpFid: "fid" = fid, "ops" = ops, "cm" = cm, "msg" = msg, "rma" = rma);
    offsets!(rows, "fi_ops_cm", CmOps: "size" = size, "getname" = getname);
    offsets!(rows, "fi_ops_msg", MsgOps: "size" = size, "recv" = recv, "send" = send, "inject" = inject);
    offsets!(rows, "fi_ops_rma", RmaOps: "size" = size, "read" = read);
    rows
}

const HEADERS: &str = "#include <stddef.h>\n#include <rdma/fabric.h>\n#include <rdma/fi_cm.h>\n#include <rdma/fi_domain.h>\n\
    #include <rdma/fi_endpoint.h>\n#include <rdma/fi_eq.h>\n#include <rdma/fi_errno.h>\n#include <rdma/fi_rma.h>\n";

fn compiles(source: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("check.c");
    std::fs::write(&file, source).expect("a file");
    let cc = Command::new("cc").args(["-fsyntax-only", "-Wno-deprecated-declarations"]).arg(&file).output().expect("a C compiler");
    if cc.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&cc.stderr).into_owned()) }
}

#[test]
fn the_headers_say_the_same() {
    if compiles(HEADERS).is_err() {
        eprintln!("skipped: libfabric's headers are not installed (libfabric-dev)");
        return;
    }
    let mut source = String::from(HEADERS);
    for (theirs, ours) in rows() {
        let _ = writeln!(source, "_Static_assert((unsigned long long) ({theirs}) == {ours}ull, \"{theirs}\");");
    }
    compiles(&source).unwrap();
    let wrong = format!("{source}_Static_assert(sizeof(struct fid) == 23, \"never\");\n");
    assert!(compiles(&wrong).is_err(), "the compiler looks");
}
