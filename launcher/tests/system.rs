//! `hpvmd --system`, as this user: jobs over it, its contexts, callers who may not, and what is left when something is killed. What several
//! users need is tested with `cargo xtask test --only system`.

mod common;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use common::{FAKE, Outcome, Run, command, start_command};
use hpvm_launcher::node::noise::handshake::{Caller, Wish};
use hpvm_launcher::node::noise::keys::KeyPair;
use hpvm_launcher::proc;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

struct Service {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Descriptors that it may begin with.
const FILES: u64 = 900;

impl Service {
    /// One that admits this user by the key `key`; `other` is nobody's.
    fn start(contexts: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let own = KeyPair::read_or_make(&at("key")).unwrap();
        KeyPair::read_or_make(&at("other")).unwrap();
        fs::write(at("list"), format!("{} test\n", own.public)).unwrap();
        let settings = format!(
            "contexts = {contexts}\nlisten = [\"127.0.0.1:0\"]\nhost-key = {:?}\nauthorized-keys = [{:?}]\n",
            at("host.key"),
            at("list")
        );
        fs::write(at("hpvmd.toml"), settings).unwrap();
        let log = File::create(at("log")).unwrap();
        let script = format!("ulimit -Sn {FILES} && exec \"$0\" --system \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_hpvmd")]).arg(at("hpvmd.toml")).stderr(log);
        let child = command.spawn().unwrap();
        let mut service = Self { child, folder, address: String::new() };
        service.wait_for("listening at ");
        let log = service.log();
        service.address = log.split("listening at ").nth(1).unwrap().split(',').next().unwrap().to_owned();
        service
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        self.wait_for_count(text, 1);
    }

    #[track_caller]
    fn wait_for_count(&self, text: &str, count: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.log().matches(text).count() < count {
            assert!(Instant::now() < until, "{text:?} does not come {count} times: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The options of a job on two machines, which both are this one.
    fn machines(&self, start: &str, key: &str, port: &str) -> String {
        let host_key = KeyPair::read(&self.path("host.key")).unwrap().public;
        let ssh = common::fake_ssh(self.folder.path(), "");
        let text = format!(
            "[defaults]\nstart = {start:?}\nhost-key = \"{host_key}\"\nkey = {key:?}\nport = {port}\nslots = 2\nssh = [{:?}, \"-x\"]\n\
             [[machine]]\nname = \"one\"\naddress = \"127.0.0.1\"\n[[machine]]\nname = \"two\"\naddress = \"127.0.0.1\"\n",
            ssh.display().to_string()
        );
        // Without the service this address would be this machine itself.
        let text = if start == "either" { text.replace("\"127.0.0.1\"", "\"127.0.0.2\"") } else { text };
        let file = self.path(&format!("{start}-{key}-{port}.toml"));
        fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }

    fn begin(&self, words: &[&str]) -> Run {
        let file = self.machines("daemon", "key", self.port());
        start_command(command(&[&["-m", &file], words].concat()))
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> Outcome {
        self.begin(words).finish()
    }

    /// The guards of those who hold contexts.
    fn holders(&self) -> Vec<i32> {
        let own = self.child.id();
        let text = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

/// `hpvmd` and the keepers below a guard.
fn helpers(guard: i32) -> Vec<i32> {
    let below = proc::descendants(guard, &HashSet::new()).into_iter().map(|process| process.pid);
    below.filter(|pid| ["hpvmd", "hpvm-keeper-1", "hpvm-keeper-2"].contains(&common::name(*pid).as_str())).collect()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_job_runs_over_it() {
    let service = Service::start(4);
    let outcome = service.run(&["-n", "3", "sh", "-c", "echo $HPVM_RANK/$HPVM_SIZE $HPVM_NODE; pwd; echo $HPVM_RANK >&2; exit $((HPVM_RANK == 2 ? 6 : 0))"]);
    assert_eq!(outcome.stdout.matches("/3 0").count(), 2, "{outcome:?}");
    let here = std::env::current_dir().unwrap().display().to_string();
    assert_eq!(outcome.stdout.lines().filter(|line| *line == here).count(), 3, "{outcome:?}");
    assert_eq!(outcome.status, 6, "{outcome:?}");
    let outcome = service.run(&["-n", "4", FAKE, "init", "@3/exit=7", "forever"]);
    assert_eq!(outcome.status, 7, "{outcome:?}");
    service.wait_for("context 1 of ");
}

#[test]
fn much_goes_both_ways_encrypted() {
    let service = Service::start(4);
    let input: Vec<u8> = (0..1_500_000_u32).flat_map(|number| [b'a' + (number % 23) as u8]).collect();
    let file = service.machines("daemon", "key", service.port());
    let outcome = common::run_with_stdin(&["-m", &file, "-n", "3", "cat"], &input);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.as_bytes() == input, "{} bytes of {}", outcome.stdout.len(), input.len());
}

#[test]
fn the_next_context_is_refused_and_one_that_is_free_is_given() {
    let service = Service::start(2);
    let first = service.begin(&["-n", "3", "sleep", "71"]);
    first.wait_for(3, "sleep 71");
    let refused = service.run(&["-n", "1", "true"]);
    assert_eq!(refused.status, 125, "{refused:?}");
    assert!(refused.stderr.contains("one cannot go on: there is no context left for ") && refused.stderr.contains("all 2 contexts"), "{refused:?}");
    // However the holder dies: it alone, or its guard.
    kill(helpers(service.holders()[0])[0]);
    let outcome = first.finish();
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("is lost: the connection to its hpvmd has ended"), "{outcome:?}");
    service.wait_for_count(" is free", 2);
    let second = service.begin(&["-n", "3", "sh", "-c", "setsid sleep 71.5 & exec sleep 71"]);
    second.wait_for(3, "sleep 71 ");
    kill(service.holders()[0]);
    assert_eq!(second.finish().status, 125);
    service.wait_for_count(" is free", 4);
    assert_eq!(service.run(&["-n", "3", "true"]).status, 0, "{}", service.log());
}

/// Nobody is left of those who would end it but the guard. The daemon serves others meanwhile.
#[test]
fn what_forks_for_ever_does_not_outlive_its_keepers() {
    let service = Service::start(2);
    let program = format!("for one in 1 2 3 4; do {FAKE} flee & done; wait; exec sleep 76");
    let run = service.begin(&["-n", "2", "sh", "-c", &program]);
    run.wait_for(2, "sleep 76");
    let helpers = helpers(service.holders()[0]);
    assert_eq!(helpers.len(), 3);
    for signal in [Signal::STOP, Signal::KILL] {
        helpers.iter().for_each(|pid| kill_process(Pid::from_raw(*pid).unwrap(), signal).unwrap());
    }
    assert_eq!(service.run(&["-n", "1", "true"]).status, 0, "{}", service.log());
    assert_eq!(run.finish().status, 125);
    service.wait_for_count(" is free", 2);
}

#[test]
fn a_job_begins_with_the_limits_of_the_service() {
    let service = Service::start(1);
    let outcome = service.run(&["-n", "1", "sh", "-c", "ulimit -Sn"]);
    assert_eq!(outcome.stdout, format!("{FILES}\n"), "{outcome:?}");
    let own = fs::read_to_string(format!("/proc/{}/limits", service.child.id())).unwrap();
    let files: Vec<_> = own.lines().find(|line| line.starts_with("Max open files")).unwrap().split_whitespace().collect();
    assert_eq!(files[3], files[4], "the daemon itself takes what it may");
}

/// Where silence is no end (`--heartbeat 0`), the kernel looks whether the other side is still there.
#[test]
fn the_kernel_looks_after_connections() {
    let service = Service::start(1);
    let run = service.begin(&["-n", "1", "--heartbeat", "0", "sleep", "78"]);
    run.wait_for(1, "sleep 78");
    let port = format!(":{:04X}", service.port().parse::<u16>().unwrap());
    // Of the connection's two ends: what timer they have. 02 is the one that looks; 01, that something is under way, soon passes.
    let timers = || {
        let text = fs::read_to_string("/proc/net/tcp").unwrap();
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = lines.filter(|fields| fields.len() > 5 && fields[3] == "01" && (fields[1].ends_with(&port) || fields[2].ends_with(&port)));
        ours.map(|fields| fields[5][..2].to_owned()).collect::<Vec<_>>()
    };
    let until = Instant::now() + Duration::from_secs(20);
    while timers() != ["02", "02"] {
        assert!(Instant::now() < until, "{:?}", timers());
        std::thread::sleep(Duration::from_millis(20));
    }
    run.signal(libc::SIGTERM);
    assert_eq!(run.finish().status, 143);
}

#[test]
fn with_the_daemon_its_jobs_end() {
    for signal in [Signal::KILL, Signal::TERM] {
        let service = Service::start(4);
        let run = service.begin(&["-n", "4", "sh", "-c", "setsid sleep 72 & exec sleep 73"]);
        run.wait_for(4, "sleep 73");
        kill_process(Pid::from_raw(service.child.id() as i32).unwrap(), signal).unwrap();
        let outcome = run.finish();
        assert_eq!(outcome.status, 125, "{outcome:?}");
    }
}

#[test]
fn without_hpvmrun_nothing_is_left_and_the_context_is_free() {
    let service = Service::start(2);
    let mut run = service.begin(&["-n", "4", "sh", "-c", "setsid sleep 74 & exec sleep 75"]);
    run.wait_for(4, "sleep 75");
    run.signal(libc::SIGKILL);
    assert_eq!(run.wait(Duration::from_secs(10)), 128 + libc::SIGKILL);
    common::assert_nothing_left(&run.mark);
    service.wait_for("is free");
}

#[test]
fn who_has_no_key_of_the_users_gets_nothing() {
    let service = Service::start(4);
    let file = service.machines("daemon", "other", service.port());
    let outcome = start_command(command(&["-m", &file, "-n", "1", "echo", "in"])).finish();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (125, ""), "{outcome:?}");
    let public = KeyPair::read(&service.path("other")).unwrap().public.to_string();
    assert!(outcome.stderr.contains("hung up") && outcome.stderr.contains(&public), "{outcome:?}");
    service.wait_for(&format!("key {public} is in no list"));
    // Another machine's key.
    fs::rename(service.path("other"), service.path("host.key")).unwrap();
    let file = service.machines("daemon", "key", service.port());
    let outcome = start_command(command(&["-m", &file, "-n", "1", "echo", "in"])).finish();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (125, ""), "{outcome:?}");
    assert!(outcome.stderr.contains("host-key"), "{outcome:?}");
}

#[test]
fn a_name_is_looked_up() {
    let service = Service::start(4);
    let file = service.machines("daemon", "key", service.port());
    let by_name = |name: &str| {
        let text = fs::read_to_string(&file).unwrap().replace("\"127.0.0.1\"", &format!("{name:?}"));
        let file = service.path("names.toml");
        fs::write(&file, text).unwrap();
        start_command(command(&["-m", &file.display().to_string(), "-n", "3", "echo", "in"])).finish()
    };
    // The resolver's way to write an address, which is no address to us; nobody has to be asked.
    let outcome = by_name("127.1");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "in\nin\nin\n"), "{outcome:?}");
    let outcome = by_name("300.1.1.1.1..");
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("one cannot be reached: no address is known for its name: "), "{outcome:?}");
}

#[test]
fn ssh_takes_its_place_where_it_may() {
    let service = Service::start(1);
    // Nothing listens there.
    let file = service.machines("either", "key", "1");
    let outcome = start_command(command(&["-m", &file, "-n", "3", "echo", "in"])).finish();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "in\nin\nin\n"), "{outcome:?}");
    assert_eq!(outcome.stderr.matches("no hpvmd --system listens at 127.0.0.2:1; ssh is tried").count(), 1, "{outcome:?}");
    let file = service.machines("daemon", "key", "1");
    let outcome = start_command(command(&["-m", &file, "-n", "1", "true"])).finish();
    assert_eq!(outcome.status, 125, "{outcome:?}");
    assert!(outcome.stderr.contains("one cannot be reached: no hpvmd --system listens at 127.0.0.1:1\n"), "{outcome:?}");
    let file = service.machines("daemon", "nothing", "1");
    let outcome = start_command(command(&["-m", &file, "-n", "1", "true"])).finish();
    assert!(outcome.stderr.contains("hpvmd --key makes a key"), "{outcome:?}");
}

/// KiB of memory that nothing but this process has.
fn memory(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_flood_of_callers_changes_nothing() {
    const CALLERS: usize = 1000;
    let service = Service::start(4);
    let run = service.begin(&["-n", "4", "sh", "-c", "sleep 3.7; echo through"]);
    run.wait_for(4, "sleep 3.7");
    let pair = KeyPair::read(&service.path("other")).unwrap();
    let host = KeyPair::read(&service.path("host.key")).unwrap().public;
    let flood = |count: usize| {
        let mut open = std::collections::VecDeque::new();
        for number in 0..count {
            let mut stream = TcpStream::connect(&service.address).unwrap();
            let (_, mut first) = Caller::new(&pair, host, Wish { user: "nobody".into() }).unwrap();
            let text: Vec<u8> = match number % 6 {
                0 => Vec::new(),
                1 => format!("GET /{number} HTTP/1.1\r\n\r\n").into_bytes(),
                2 => first.split_off(number % first.len()),
                3 => first[..number % first.len()].to_vec(),
                4 => [first.as_slice(), &first].concat(),
                _ => (0..600).map(|at| (at * number) as u8).collect(),
            };
            // It may have hung up already.
            let _ = stream.write_all(&text);
            open.push_back(stream);
            if open.len() > 400 {
                open.pop_front();
            }
        }
    };
    flood(500);
    let before = memory(service.child.id());
    flood(CALLERS);
    let after = memory(service.child.id());
    assert!(after <= before + 256, "{before} KiB before, {after} after");
    let meanwhile = service.run(&["-n", "2", "echo", "in"]);
    assert_eq!(meanwhile.status, 0, "{meanwhile:?}");
    let outcome = run.finish();
    assert_eq!((outcome.status, outcome.stdout.matches("through").count()), (0, 4), "{outcome:?}");
}

/// Nobody is answered who has not shown that it knows the daemon's key.
#[test]
fn a_stranger_hears_nothing() {
    let service = Service::start(1);
    for text in [&b"HPVM\x01\x01\x30\x00"[..], b"SSH-2.0-x\r\n", b"HPVM\x01\x01\xff\xff"] {
        let mut stream = TcpStream::connect(&service.address).unwrap();
        stream.write_all(&[text, &[7; 48]].concat()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = Vec::new();
        // An end, or a reset since not all was read.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"");
    }
    assert!(Path::new("/proc").join(service.child.id().to_string()).exists());
}
