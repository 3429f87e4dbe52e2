//! From the command line to the exit status.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;

use hpvm_wire::{Bell, Board, Descriptor, board};

use crate::capacity;
use crate::doctor;
use crate::exit::Refusal;
use crate::job::channels::{Channels, raise_descriptor_limit};
use crate::job::events::Events;
use crate::job::output::Output;
use crate::job::pmi::Pmi;
use crate::job::stdin::Stdin;
use crate::job::{self, Job};
use crate::keeper::{self, RelaySetup, Setup};
use crate::network;
use crate::node::machines;
use crate::options::{Options, Request, completions, help, parse, sources};
use crate::plan::Plan;
use crate::proc;
use crate::sys::{self, SignalFd};

/// In place of a program: `./doctor` or `-- doctor` is one.
const DOCTOR: &str = "doctor";

/// What `hpvmrun` acts on. What the user's shell had it ignore (`nohup`, a background job of a script)
/// stays ignored.
const SIGNALS: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGCONT,
];

/// All of `hpvmrun`.
pub fn main() -> u8 {
    let mut words = env::args_os();
    let called = words.next().unwrap_or_default();
    let called = Path::new(&called).file_name().unwrap_or("hpvmrun".as_ref()).to_string_lossy().into_owned();
    match run(&called, &words.collect::<Vec<_>>()) {
        Ok(status) => status,
        Err(refusal) => {
            eprintln!("{called}: {refusal}");
            if matches!(refusal, Refusal::Usage(_)) {
                eprintln!("{called} --help lists the options");
            }
            refusal.status()
        }
    }
}

fn run(called: &str, words: &[OsString]) -> Result<u8, Refusal> {
    let from_outside = sources::read(|name| env::var_os(name));
    // Help has to work however broken the configuration is.
    let weaker = from_outside.clone().unwrap_or_default();
    if words.first().is_some_and(|word| word == DOCTOR) {
        return match parse::without_program(&words[1..], weaker).map_err(Refusal::Usage)? {
            Request::Run(options) => from_outside.map_err(Refusal::Usage).and_then(|_| doctor::run(&options)),
            _ => print(&help::text(called)),
        };
    }
    match parse::parse(words, weaker).map_err(Refusal::Usage)? {
        Request::Help => print(&help::text(called)),
        Request::Version => print(&format!(
            "hpvmrun (HPVM) {}, start-up protocol {}\n",
            env!("CARGO_PKG_VERSION"),
            hpvm_wire::names::VERSION
        )),
        Request::Completions(shell) => print(&completions::script(shell)),
        Request::Run(options) => {
            from_outside.map_err(Refusal::Usage)?;
            launch(&options)
        }
    }
}

/// That nobody reads to the end (`hpvmrun --help | head -1`) is not an error.
fn print(text: &str) -> Result<u8, Refusal> {
    let _ = stdout().write_all(text.as_bytes());
    Ok(0)
}

fn launch(options: &Options) -> Result<u8, Refusal> {
    let environment: BTreeMap<_, _> = env::vars_os().collect();
    let mut plan = Plan::new(options, &environment)?;
    if plan.machines.is_empty() {
        capacity::check(plan.size()).map_err(Refusal::Launch)?;
    }
    if options.job.dry_run {
        let why = if options.job.explain { plan.explain() } else { String::new() };
        return print(&(plan.describe() + &why));
    }
    if options.job.explain {
        eprint!("{}{}", plan.describe(), plan.explain());
    } else if options.job.verbose {
        eprintln!("hpvmrun: {}\nhpvmrun: {}", plan.source, plan.tuning);
    }
    machines::look_up(&mut plan.machines);
    start(options, &plan).map_err(Refusal::Launch)
}

fn start(options: &Options, plan: &Plan) -> Result<u8, String> {
    let system = |error: std::io::Error| format!("cannot prepare the job: {error}");
    // Made first, so that ranks inherit low numbers.
    let (mem, status) = (board::create_message_memory().map_err(system)?, Board::create(plan.size()).map_err(system)?);
    let bell = Bell::new().map_err(system)?;
    let lines = Board::map(&status, plan.size()).map_err(system)?;
    let describe = |file| Descriptor::of(file).map_err(system);
    let (mem_named, status_named) = (describe(&mem)?, describe(&status)?);
    let event_named = Descriptor::of(&bell).map_err(system)?;

    // The relay has three pipes to each machine.
    let files = raise_descriptor_limit(plan.size() + plan.machines.len() as u32, options.job.output_dir.is_some())?;
    let far = !plan.machines.is_empty();
    let patience = options.job.patience;
    let relay = far.then(|| Ok(RelaySetup { board: Board::map(&status, plan.size())?, bell: bell.try_clone()?, patience })).transpose();
    let relay = relay.map_err(system)?;
    let net = (!far && !plan.devices.smp() && plan.size() > 1).then(|| network::of_one_machine(plan)).transpose();
    let (net, net_kept) = net.map_err(system)?.unzip();
    // On other machines nobody carries what is said there.
    let (pmi, pmi_theirs) = match far {
        true => (None, Vec::new()),
        false => Pmi::new(plan).map(|(ours, theirs)| (Some(ours), theirs)).map_err(system)?,
    };
    let channels = Channels::new(plan.size())?;
    let output = Output::new(channels.ours, &options.job)?;
    let events = Events::new(options.job.json_events.as_deref())?;

    let acted_on: Vec<i32> = SIGNALS.into_iter().filter(|number| !is_ignored(*number)).collect();
    let also_blocked = [libc::SIGCHLD, libc::SIGTTIN];
    let mask = sys::block_signals(&[acted_on.as_slice(), &also_blocked].concat()).map_err(system)?;
    // One that is ignored would take the ranks' statuses with it.
    sys::default_action(libc::SIGCHLD).map_err(system)?;
    let signals = SignalFd::new(&acted_on).map_err(system)?;
    let spared = proc::own_children();

    let setup =
        Setup { plan, ends: channels.theirs, mem: mem_named, status: status_named, event: event_named, net, pmi: pmi_theirs, relay, silence: None, mask, files };
    let ours = (output, events, signals, channels.stdin, pmi);
    let (keepers, (output, events, signals, stdin, pmi)) =
        keeper::start(setup, ours).map_err(|error| format!("cannot start the keepers: {error}"))?;
    // Kept open for as long as hpvmrun lives, for ranks whose own were closed on the way.
    let _kept = (mem, status);
    Ok(job::run(Job {
        plan,
        options: &options.job,
        board: lines,
        bell,
        keepers,
        signals,
        output,
        stdin: Stdin::new(stdin),
        events,
        net: net_kept,
        pmi,
        spared,
    }))
}

fn is_ignored(number: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
    mask >> (number - 1) & 1 == 1
}
