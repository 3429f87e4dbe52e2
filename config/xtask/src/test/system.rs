//! `hpvmd --system` on a virtual host: 32 jobs of two users at once, the next one refused, what users see of each other, contexts that are free
//! again however their jobs ended, and a flood of strangers. The users exist on the hosts alone.

mod flood;
mod guest;
mod ports;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mpi_suite::report::Counts;
use mpi_suite::{Mpi, checks};

use super::check;
use super::faults::hosts;
use crate::cluster::daemons::{BUILT, EXPIRED, USERS, User};
use crate::cluster::{Hosts, Wanted};
use crate::exec;
use crate::repo::Repo;
use crate::tools;
use guest::Guest;

/// As many as a daemon has by itself.
const CONTEXTS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(repo: &Repo) -> Result<Counts> {
    let mut counts = Counts::default();
    if !tools::is_root() {
        println!("skip  system: virtual hosts and users take root");
        return Ok(Counts { skipped: 1, ..counts });
    }
    tools::need(&[tools::NSENTER, tools::SETPRIV])?;
    let program = |source| -> Result<PathBuf> {
        let built = checks::build(&Mpi::installed(&repo.prefix()), source)?.canonicalize()?;
        Ok(Path::new(BUILT).join(built.strip_prefix(repo.target.canonicalize()?).context("built elsewhere")?))
    };
    let (program, talking) = (program("system/hold.c")?, program("system/talk.c")?);
    let up = Hosts::make(repo, &Wanted { hosts: 2, fabrics: 1, slots: 2, daemons: true })?;
    let test = System { node: hosts::Host::of(&up.cluster, 1)?, up, program, talking };
    test.users(&mut counts);
    check(&mut counts, "system: contexts are free again, whatever was killed", test.killed());
    check(&mut counts, "system: who has another key gets nothing", test.wrong_keys());
    check(&mut counts, "system: who may not come in any more, or not now", test.shut_out());
    check(&mut counts, "system: floods of strangers at all open ports while a job runs", test.flood());
    Ok(counts)
}

/// Jobs run on node1, one of them on both, and are launched on node2.
struct System {
    up: Hosts,
    node: hosts::Host,
    program: PathBuf,
    /// The same with ranks that never are at rest.
    talking: PathBuf,
}

struct Job {
    user: User,
    child: Child,
}

impl System {
    fn guest(&self, user: User, host: u8) -> Result<Guest> {
        Ok(Guest { first: self.up.cluster.first_process(host)?, user })
    }

    fn log(&self) -> String {
        fs::read_to_string(self.up.cluster.folder().join("node1/log")).unwrap_or_default()
    }

    /// What the system calls a rank: so much of its file's name.
    fn rank_name(&self) -> String {
        short_name(&self.program)
    }

    /// A job of that user's on node1.
    fn start(&self, user: User, machines: &str, ranks: u32) -> Result<Job> {
        self.launch(user, &["-m", &format!("{BUILT}/cluster/{machines}"), "-H", "node1", "-n", &ranks.to_string()], &self.program)
    }

    fn launch(&self, user: User, options: &[&str], program: &Path) -> Result<Job> {
        let mut hpvmrun = self.guest(user, 2)?.command(&format!("{BUILT}/prefix/bin/hpvmrun"));
        hpvmrun.args(options).arg(program);
        hpvmrun.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Job { user, child: hpvmrun.spawn().with_context(|| exec::shown(&hpvmrun))? })
    }

    fn job(&self, user: User) -> Result<Job> {
        self.start(user, &format!("{}.toml", user.name), 2)
    }

    /// All contexts taken: each job has said that it is right, and goes on.
    fn all(&self) -> Result<Vec<Job>> {
        let mut jobs = (0..CONTEXTS).map(|number| self.job(USERS[number % 2])).collect::<Result<Vec<_>>>()?;
        for job in &mut jobs {
            let mut line = String::new();
            BufReader::new(job.child.stdout.as_mut().context("no output")?).read_line(&mut line)?;
            ensure!(line == "2 ranks right\n", "a job of {} says {line:?}\n{}", job.user.name, self.log());
        }
        Ok(jobs)
    }

    fn users(&self, counts: &mut Counts) {
        let mut jobs = match self.all() {
            Ok(jobs) => jobs,
            Err(why) => return check(counts, "system: 32 jobs of two users at once", Err(why)),
        };
        check(counts, "system: 32 jobs of two users at once", Ok(()));
        check(counts, "system: the next job is refused by name", self.refused());
        check(counts, "system: no user sees another one's", self.apart());
        let all_well = jobs.drain(..).try_for_each(|job| job.end().map(drop));
        check(counts, "system: all of them end well", all_well.and_then(|()| self.all_free()));
    }

    fn refused(&self) -> Result<()> {
        for user in USERS {
            let (status, said) = self.job(user)?.finish()?;
            let expected = format!("node1 cannot go on: there is no context left for {}: all 32 contexts of this machine are taken, 16 by {0} and 16 by other users", user.name);
            ensure!(status == Some(125) && said.contains(&expected), "{status:?}: {said}");
        }
        Ok(())
    }

    /// What one user's processes have, the other can neither read nor stop; the user can, so that this finds something.
    fn apart(&self) -> Result<()> {
        let [ann, bob] = USERS;
        let everything = self.node.processes();
        let of_ann: Vec<_> = everything.iter().filter_map(|pid| guest::inner(*pid, ann)).collect();
        ensure!(of_ann.len() >= CONTEXTS / 2 * 5, "only {} processes of ann's", of_ann.len());
        let of_rank = everything.iter().filter(|pid| hosts::name(**pid) == self.rank_name()).find_map(|pid| guest::inner(*pid, ann)).context("ann has no rank")?;
        let looks = |pid: u32| {
            [
                format!("cat /proc/{pid}/environ"),
                format!("head -1 /proc/{pid}/maps"),
                format!("ls /proc/{pid}/fd"),
                format!("exec 3< /proc/{pid}/mem"),
                format!("readlink /proc/{pid}/fd/1"),
                format!("kill -CONT {pid}"),
            ]
        };
        for look in looks(of_rank) {
            ensure!(self.guest(ann, 1)?.may(&look)?, "ann may not: {look}");
        }
        for pid in of_ann {
            let any = looks(pid).join(" || ");
            ensure!(!self.guest(bob, 1)?.may(&any)?, "bob may one of: {any}");
        }
        let secret = format!("{}/secret", ann.home());
        ensure!(self.guest(ann, 1)?.may(&format!("echo mine > {secret}; cat {secret}"))?, "ann cannot write at home");
        ensure!(!self.guest(bob, 1)?.may(&format!("cat {secret}"))?, "bob reads ann's file");
        ensure!(!self.guest(bob, 1)?.may(&format!("cat {BUILT}/cluster/ann.key"))?, "bob reads ann's key");
        ensure!(!self.guest(bob, 1)?.may(&format!("cat {BUILT}/cluster/node1/daemon.key"))?, "bob reads the daemon's key");
        Ok(())
    }

    fn all_free(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let taken = |line: &str| line.contains(" as ") && line.contains(": context ");
        let are_free = || {
            let log = self.log();
            log.lines().filter(|line| taken(line)).count() == log.lines().filter(|line| line.ends_with(" is free")).count()
        };
        while !are_free() || !self.node.of_job().is_empty() {
            ensure!(Instant::now() < end, "left: {:?}\n{}", self.node.of_job().into_iter().map(hosts::describe).collect::<Vec<_>>(), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Of each job another process is killed, or several.
    fn killed(&self) -> Result<()> {
        let mut jobs = self.all()?;
        let named = |names: &[&str]| self.node.processes().into_iter().filter(|pid| names.contains(&hosts::name(*pid).as_str())).collect::<Vec<_>>();
        let kill = |pids: &[i32]| pids.iter().for_each(|pid| drop(hosts::signal("KILL", *pid)));
        // Eight of each, as they come; the last ones lose all three at once.
        let (daemons, outer, inner, ranks) = (named(&["hpvmd"]), named(&["hpvm-keeper-1"]), named(&["hpvm-keeper-2"]), named(&[self.rank_name().as_str()]));
        let counts = [daemons.len(), outer.len(), inner.len(), ranks.len()];
        ensure!(counts == [CONTEXTS, CONTEXTS, CONTEXTS, 2 * CONTEXTS], "daemons, keepers and ranks: {counts:?}");
        kill(&daemons[..8]);
        kill(&outer[8..16]);
        kill(&inner[16..20]);
        kill(&ranks[40..44]);
        kill(&[&daemons[24..], &outer[24..], &inner[24..]].concat());
        for job in &mut jobs[22..24] {
            job.child.kill()?;
        }
        let end = Instant::now() + PATIENCE;
        let mut failed = 0;
        for job in jobs {
            let (status, _) = job.finish()?;
            failed += usize::from(status != Some(0));
            ensure!(Instant::now() < end, "jobs go on after their daemons were killed");
        }
        ensure!(failed >= CONTEXTS / 2, "only {failed} jobs have failed");
        self.all_free()?;
        self.all()?.into_iter().try_for_each(|job| job.end().map(drop)).context("after all were killed")
    }

    /// bob's key is none of ann's, and node2's key is not that of node1.
    fn wrong_keys(&self) -> Result<()> {
        let folder = self.up.cluster.folder();
        let text = fs::read_to_string(folder.join("bob.toml"))?;
        let as_ann = text.replace("address = \"", "address = \"ann@");
        fs::write(folder.join("as-ann.toml"), &as_ann)?;
        let keys: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("host-key = ")).collect();
        fs::write(folder.join("other.toml"), text.replace(keys[0], keys[1]))?;
        for file in ["as-ann.toml", "other.toml"] {
            let (status, said) = self.start(USERS[1], file, 2)?.finish()?;
            ensure!(status == Some(125) && said.contains("has hung up"), "{file}: {status:?}: {said}");
        }
        ensure!(self.log().contains("as ann: refused: key "), "{}", self.log());
        self.all_free()
    }

    fn shut_out(&self) -> Result<()> {
        let folder = self.up.cluster.folder();
        let [ann, _] = USERS;
        let text = fs::read_to_string(folder.join("ann.toml"))?.replace("address = \"", &format!("address = \"{}@", EXPIRED.name));
        fs::write(folder.join("as-old.toml"), text)?;
        let refused = |machines: &str, reason: &str| -> Result<()> {
            let (status, said) = self.start(ann, machines, 2)?.finish()?;
            ensure!(status == Some(125) && said.contains("has hung up"), "{status:?}: {said}");
            ensure!(self.log().contains(reason), "no {reason:?} in {}", self.log());
            Ok(())
        };
        refused("as-old.toml", " as old: refused: the account has expired")?;
        let notice = format!("/proc/{}/root/run/nologin", self.up.cluster.first_process(1)?);
        fs::write(&notice, "back at noon\n")?;
        let result = refused("ann.toml", " as ann: refused: nobody but root may come in: /run/nologin is there");
        fs::remove_file(&notice)?;
        result?;
        self.job(ann)?.end()?;
        self.all_free()
    }

    /// Every port at which something of ours listens on node1, while ranks there talk with each other and with node2.
    fn flood(&self) -> Result<()> {
        const CALLERS: usize = 10_000;
        let user = USERS[0];
        let machines = format!("{BUILT}/cluster/{}.toml", user.name);
        let mut job = self.launch(user, &["-m", &machines, "-H", "node1:2,node2:2", "-n", "4"], &self.talking)?;
        let mut line = String::new();
        BufReader::new(job.child.stdout.as_mut().context("no output")?).read_line(&mut line)?;
        ensure!(line == "4 ranks talk\n", "{line:?}\n{}", self.log());

        let open = ports::of(&self.node.all())?;
        let listening = |name: &str| open.iter().filter(|port| port.owners.iter().any(|owner| hosts::name(*owner) == name)).count();
        let ranks = short_name(&self.talking);
        ensure!(listening(&ranks) == 2 && listening("hpvmd") == 3, "open ports: {open:?}");
        let address: IpAddr = self.up.cluster.address(1).to_string().parse()?;
        for ports::Port { number, owners } in open.iter().filter(|port| !port.owners.iter().any(|owner| hosts::name(*owner) == "sshd")) {
            let at = (address, *number).into();
            flood::flood(at, CALLERS / 10)?;
            let memory = || owners.iter().map(|owner| flood::memory(*owner)).collect::<Result<Vec<_>>>();
            let (before, start) = (memory()?, Instant::now());
            flood::flood(at, CALLERS)?;
            let (seconds, after) = (start.elapsed().as_secs_f64(), memory()?);
            let names: Vec<_> = owners.iter().map(|owner| hosts::name(*owner)).collect();
            println!("      port {number}: {CALLERS} callers in {seconds:.1} s; own memory of {}: {before:?} KiB before, {after:?} after", names.join(", "));
            ensure!(before.iter().zip(&after).all(|(before, after)| *after <= before + 128), "port {number} of {names:?}: grown from {before:?} to {after:?} KiB");
        }
        // Meanwhile another one may come, and the first one goes on.
        let (status, said) = self.job(USERS[1])?.finish()?;
        ensure!(status == Some(0), "{status:?}: {said}");
        let (status, said) = job.finish()?;
        ensure!(status == Some(0) && said.lines().all(|line| line.contains("was dropped: ")), "the job ends with {status:?}: {said}");
        self.all_free()
    }
}

/// What the system calls a process of this program.
fn short_name(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().chars().take(15).collect()
}

impl Job {
    /// Its input ends, and with it the program.
    fn end(self) -> Result<()> {
        let user = self.user;
        let (status, said) = self.finish()?;
        ensure!(status == Some(0) && said.is_empty(), "a job of {} ends with {status:?}: {said}", user.name);
        Ok(())
    }

    /// The exit status, and what was said on stderr.
    fn finish(mut self) -> Result<(Option<i32>, String)> {
        drop(self.child.stdin.take());
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > end {
                self.child.kill()?;
                anyhow::bail!("a job of {} does not end", self.user.name);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let mut said = String::new();
        self.child.stderr.take().context("no stderr")?.read_to_string(&mut said)?;
        Ok((status.code(), said))
    }
}
