//! What people and programs write for the launcher: files, options, variables.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hpvm_launcher::job::lines::{Layout, Lines, Prefix};
use hpvm_launcher::node::machines::{fault, file, own_names, range};
use hpvm_launcher::node::noise::keys::{self, Key, KeyPair};
use hpvm_launcher::node::placement;
use hpvm_launcher::node::system::admit::Verdict;
use hpvm_launcher::node::system::config::Config;
use hpvm_launcher::options::{JobOptions, Options, Request, parse, sources};
use hpvm_launcher::tuning;
use hpvm_wire::tuning::{KEYS, Thresholds};
use hpvm_wire::{Network, StartUp, foreign, names};

use super::input::Input;

const HOST: &str = "here";

/// A fault is shown with its place in the text, whatever that place is.
pub fn machine_file(data: &[u8]) {
    let Ok(text) = fault::text_of("machines.toml", data.to_vec()) else { return };
    match file::parse(&text, Path::new("folder"), &own_names(HOST)) {
        Ok(catalogue) => {
            let names: Vec<&str> = catalogue.machines.iter().map(|machine| machine.name.as_str()).collect();
            let folded = range::fold(names.iter().copied());
            assert!(names.is_empty() == folded.is_empty(), "{names:?} are shown as {folded:?}");
            assert!(catalogue.machines.iter().all(|machine| machine.slots > 0 && !machine.address.starts_with('-')));
        }
        Err(fault) => assert!(!fault.show("machines.toml", &text).is_empty()),
    }
}

pub fn machine_file_seeds() -> Vec<Vec<u8>> {
    let example = include_str!("../../../../config/machines.example.toml");
    [
        example.to_owned(),
        example.replace("#: ", ""),
        "[[machine]]\nname = \"n[1-2]\"\naddress = \"10.0.0.[3,7]\"\nslots = 2\nmax-slots = 3\nlabels = [\"x\"]\n".to_owned(),
        "ssh = \"ssh -F x\"\n[defaults]\nnetworks = [\"a\"]\n[[network]]\nname = \"a\"\ndevices = [\"ip\"]\n[[machine]]\nname = \"b\"\nnetworks = { a = \"::1\" }\nhpvmd = \"x/hpvmd\"\n".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

/// Ranks are dealt by `-m`, `--hostfile`, a rank file or an allocation of Slurm's, whose text or variables follow the words of a command line. Whatever is accepted gives every rank a machine.
pub fn placement(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.u8();
    let Some(mut options) = command_line(input.until(0)) else { return };
    // Large jobs take long for good reasons.
    if options.parts.iter().map(|part| part.ranks).fold(0, u32::saturating_add) > 256 {
        return;
    }
    let (_held, path) = file_of(input.0);
    let job = &mut options.job;
    (job.machines, job.host_file, job.rank_file) = (Some("none".into()), None, None);
    let variables = words(input.0);
    let slurm = |name: &str| variables.iter().find_map(|variable| Some(variable.to_str()?.strip_prefix(name)?.strip_prefix('=')?.into()));
    match kind % 5 {
        0 => job.machines = Some(path),
        1 => job.host_file = Some(path),
        2 => job.rank_file = Some(path),
        // Only what --host says.
        3 => (),
        _ => job.machines = None,
    }
    if let Ok(placed) = placement::place(&options, HOST, |name| slurm(name).filter(|_| kind % 5 == 4 && name.starts_with("SLURM"))) {
        assert!(placed.nodes.iter().all(|node| *node < placed.machines.len()), "{placed:?}");
        if !placed.machines.is_empty() {
            let ranks: u32 = options.parts.iter().map(|part| part.ranks).sum();
            assert_eq!(placed.nodes.len(), ranks as usize);
            assert!(!placement::table(&placed.machines, &placed.nodes).is_empty());
        }
    }
}

pub fn placement_seeds() -> Vec<Vec<u8>> {
    [
        (0, "-n\n4\n--map-by\nnode\na", "[[machine]]\nname = \"n[1-4]\"\nslots = 2\n"),
        (1, "-n\n5\n-H\nn1:2,n[2-3]\na\n:\n-n\n2\nb", "n1:2\nn2 slots=3 max_slots=4\n[::1]:2\nn[3-5] # all\n"),
        (1, "-n\n3\n--ppn\n2\na", "user@n1\nn1\nn1\n127.0.0.1:4\n"),
        (2, "-n\n2\n-H\nn1,n2\na", "rank 0=n1 slot=0-3\nrank 1=+n1 slot=0,2\n"),
        (3, "-n\n4\n-H\na:2,@b,[::1]:2,n[1-2]:3\n--no-oversubscribe\na", ""),
        (4, "-n\n6\na", "SLURM_JOB_ID=7\nSLURM_JOB_NODELIST=n[1-2,07],x\nSLURM_TASKS_PER_NODE=2(x3),1\nSLURMD_NODENAME=n1"),
        (4, "-n\n6\na", "SLURM_JOB_ID=7\nSLURM_NODELIST=n[1-2]\nSLURM_JOB_CPUS_PER_NODE=8(x2)"),
    ]
    .map(|(kind, words, text)| [&[kind], words.as_bytes(), b"\0", text.as_bytes()].concat())
    .into()
}

/// A line for each word; before an empty line, `NAME=VALUE` of the environment, where the configuration file is named, too.
pub fn options(data: &[u8]) {
    let mut input = Input(data);
    let variables: Vec<OsString> = words(input.until(0));
    let (_held, configuration) = file_of(input.until(0));
    let get = |name: &str| {
        let value = |variable: &OsString| Some(variable.to_str()?.strip_prefix(name)?.strip_prefix('=')?.into());
        if name == "HPVM_CONFIG" { Some(configuration.clone().into()) } else { variables.iter().find_map(value) }
    };
    let (Ok(job) | Err(job)) = sources::read(get).map_err(|_| JobOptions::default());
    let words = words(input.0);
    let _ = parse::without_program(&words, job.clone());
    if let Ok(Request::Run(options)) = parse::parse(&words, job) {
        assert!(!options.parts.is_empty() && options.parts.iter().all(|part| part.ranks > 0 && !part.program.is_empty()));
    }
}

pub fn options_seeds() -> Vec<Vec<u8>> {
    [
        "HPVM_TIMEOUT=3\nHPVM_TAG_OUTPUT=1\0timeout = 1.5\ntag-output = true\n\0-n\n2\n--bind-to=core\n-x\nA=1\n./a.out\n-n\n:\n-np\n3\nb",
        "\0\0-H\na:2,b\n--map-by\nnuma\n--device\nsmp,ip\n--heartbeat\n0\n--start-timeout\n3\n--hang-report\n0\n--\n-a",
        "\0\0--completions\nbash",
        "\0\0--tag-outptu\na",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// What is set by a table arrives at the ranks as it was set.
pub fn tuning(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.u8();
    let Ok(text) = str::from_utf8(input.0) else { return };
    let thresholds = match kind % 2 {
        0 => tuning::parse(text).map_err(|fault| assert!(!fault.show("tuning.toml", text).is_empty())).ok(),
        _ => Thresholds::parse(text).ok(),
    };
    if let Some(thresholds) = thresholds {
        assert!(thresholds.iter().all(|(key, value)| key.allows(value)));
        assert_eq!(Thresholds::parse(&thresholds.to_string()), Ok(thresholds));
    }
}

pub fn tuning_seeds() -> Vec<Vec<u8>> {
    let all = |between: &str, table: bool| -> String {
        let lines = KEYS.iter().map(|key| if table { format!("{} = {}{between}", key.in_tables(), key.least) } else { format!("{}={}{between}", key.name(), key.most) });
        lines.collect()
    };
    [(0, all("\n", true)), (1, all(" ", false)), (0, "# none\n".into())].map(|(kind, text)| [&[kind], text.as_bytes()].concat()).into()
}

/// What a rank is told by its environment, and in the file that says where the others are.
pub fn start_up(data: &[u8]) {
    let mut input = Input(data);
    let variables = words(input.until(0));
    let get = |name: &str| variables.iter().find_map(|variable| Some(variable.to_str()?.strip_prefix(name)?.strip_prefix('=')?.to_owned()));
    if let Ok(Some(found)) = StartUp::parse(get) {
        assert!(found.place.rank < found.place.size && found.place.local_rank < found.place.local_size);
        let again = found.variables();
        let again = StartUp::parse(|name| again.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone()));
        assert_eq!(again, Ok(Some(found)));
    }
    let _ = foreign::detect_in(get);
    if let Some(network) = str::from_utf8(input.0).ok().and_then(Network::parse) {
        assert_eq!(Network::parse(&network.to_text()).as_ref(), Some(&network));
    }
}

pub fn start_up_seeds() -> Vec<Vec<u8>> {
    let variables = [
        names::RANK, names::SIZE, names::LOCAL_RANK, names::LOCAL_SIZE, names::NODE, names::APPNUM, names::UNIVERSE_SIZE, names::LAUNCHER_PID,
        names::MEM_FD, names::STATUS_FD, names::EVENT_FD, names::NET_FD, names::LISTEN_FD,
    ];
    let value = |name: &str| match name {
        names::SIZE | names::LOCAL_SIZE => "2",
        _ if name.ends_with("_FD") => "5:99",
        _ => "1",
    };
    let mut text = format!("{}={}", names::WIRE_VERSION, names::VERSION);
    variables.iter().for_each(|name| text += &format!("\n{name}={}", value(name)));
    let network = format!("key {}\nshared-memory yes\n0 192.0.2.1:40123\n3 [::1]:40377\n", "6c".repeat(32));
    let others = "SLURM_PROCID=1\nSLURM_STEP_ID=0\nSLURM_NTASKS=4\nPMI_RANK=0\nPMI_SIZE=2";
    vec![format!("{text}\0{network}").into_bytes(), format!("{others}\0").into_bytes()]
}

/// Files of `hpvmd --system`, and what its child says that has looked who a caller is.
pub fn service(data: &[u8]) {
    let mut input = Input(data);
    let (kind, text) = (input.u8(), str::from_utf8(input.0));
    match (kind % 3, text) {
        (0, Ok(text)) => {
            if let Ok(config) = Config::parse(text) {
                assert!(!config.listen.is_empty() && config.contexts > 0);
            }
        }
        (1, Ok(text)) => {
            let key = Key([7; 32]);
            assert!(!keys::lists(text, key) || text.to_lowercase().contains(&key.to_string()));
            assert!(keys::lists(&format!("{text}\n{key} comment"), key));
            let (held, path) = file_of(input.0);
            rustix::fs::fchmod(&held, rustix::fs::Mode::from_raw_mode(0o600)).expect("our own file");
            if let Ok(pair) = KeyPair::read(&path) {
                assert_eq!(Key(pair.secret).to_string(), text.trim().to_lowercase());
            }
        }
        (2, _) => {
            let (from, to) = rustix::pipe::pipe().expect("a pipe");
            assert_eq!(rustix::io::write(&to, input.0), Ok(input.0.len()));
            drop(to);
            let verdict = Verdict::receive(&from);
            assert!(verdict.is_none() || input.u8() < 2, "{verdict:?}");
        }
        _ => (),
    }
}

pub fn service_seeds() -> Vec<Vec<u8>> {
    let key = "07".repeat(32);
    [
        (0, "contexts = 4\nlisten = [\"127.0.0.1:0\", \"[::]:14786\"]\nhost-key = \"/k\"\nauthorized-keys = [\"/keys/%u\", \"%h/x\"]\n"),
        (0, ""),
        (1, &format!("# comment\n\n{key} ann@laptop\nnonsense\n")),
        (1, &key),
        (2, "\x01\x10\x27\0\0"),
        (2, "\0key is in no list"),
    ]
    .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
    .into()
}

/// What ranks write, in pieces: not a byte is lost, and each line is marked once.
pub fn output(data: &[u8]) {
    const RANKS: usize = 3;
    let mut input = Input(data);
    let prefix = Prefix { tag: input.u8() & 1 == 1, timestamp: false };
    let (mut lines, mut layout, now): ([Lines; RANKS], _, _) = (Default::default(), Layout::default(), Instant::now());
    let (mut written, mut passed): ([Vec<u8>; RANKS], [Vec<u8>; RANKS]) = Default::default();
    let mut shown = Vec::new();
    while !input.is_empty() {
        let (rank, length) = (usize::from(input.u8()) % RANKS, usize::from(input.u8()));
        // None of it: time has passed.
        let piece = input.bytes(length);
        let ready = if piece.is_empty() { lines[rank].flush() } else { lines[rank].push(piece, now) };
        written[rank].extend_from_slice(piece);
        let Some(ready) = ready else { continue };
        assert!(piece.is_empty() || ready.ends_with(b"\n") || ready.len() >= 64 << 10);
        layout.add(prefix, rank as u32, &ready, String::new, &mut shown);
        passed[rank].extend(ready);
    }
    for rank in 0..RANKS {
        let rest = lines[rank].flush().unwrap_or_default();
        layout.add(prefix, rank as u32, &rest, String::new, &mut shown);
        passed[rank].extend(rest);
    }
    assert!(written == passed);
    if !prefix.tag {
        assert_eq!(shown.len(), written.iter().map(Vec::len).sum::<usize>());
    } else if !shown.is_empty() {
        let tags = ["[0] ", "[1] ", "[2] "].map(str::as_bytes);
        let ends_early = !shown.ends_with(b"\n");
        let whole = if ends_early { &shown[..] } else { &shown[..shown.len() - 1] };
        assert!(whole.split(|byte| *byte == b'\n').all(|line| tags.iter().any(|tag| line.starts_with(tag))), "{:?}", String::from_utf8_lossy(&shown));
    }
}

pub fn output_seeds() -> Vec<Vec<u8>> {
    let pieces = |kind: u8| -> Vec<u8> {
        let texts = ["one\ntw", "o\nthree", "", "four", "\n", "\n\nfive", "é"];
        let piece = |(rank, text): (usize, &str)| [&[rank as u8, text.len() as u8], text.as_bytes()].concat();
        [kind].into_iter().chain(texts.into_iter().enumerate().flat_map(piece)).collect()
    };
    vec![pieces(0), pieces(1)]
}

fn command_line(text: &[u8]) -> Option<Options> {
    match parse::parse(&words(text), JobOptions::default()) {
        Ok(Request::Run(options)) => Some(*options),
        _ => None,
    }
}

fn words(text: &[u8]) -> Vec<OsString> {
    text.split(|byte| *byte == b'\n').map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// A file with these bytes that has no name; its path is good while the first value lives.
fn file_of(bytes: &[u8]) -> (OwnedFd, PathBuf) {
    let memory = rustix::fs::memfd_create("fuzz", rustix::fs::MemfdFlags::CLOEXEC).expect("a file in memory");
    let mut file = File::from(memory);
    file.write_all(bytes).expect("room in memory");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    (file.into(), path.into())
}
