use super::*;
use std::collections::HashMap;
use std::sync::{Arc, Barrier};

/// A launcher whose ranks are threads. What they say may be changed on the way.
struct Threads {
    rank: u32,
    job: Arc<Job>,
}

struct Job {
    size: u32,
    table: Mutex<HashMap<(u32, String), String>>,
    barrier: Barrier,
    change: fn(u32, &str, &str) -> String,
}

impl Manager for Threads {
    fn world(&self) -> World {
        World { rank: self.rank, size: self.job.size, appnum: None, universe_size: None }
    }

    fn put(&self, key: &str, value: &str) -> Result<()> {
        let value = (self.job.change)(self.rank, key, value);
        self.job.table.lock().insert((self.rank, key.to_owned()), value);
        Ok(())
    }

    fn fence(&self) -> Result<()> {
        self.job.barrier.wait();
        Ok(())
    }

    fn get(&self, rank: u32, key: &str) -> Result<String> {
        let found = self.job.table.lock().get(&(rank, key.to_owned())).cloned();
        found.map_or_else(|| bail!(OTHER, "rank {rank} has no {key}"), Ok)
    }

    fn finalize(&self) {}

    fn abort(&self, _: i32) {}
}

fn meet_all(size: u32, change: fn(u32, &str, &str) -> String) -> Vec<Result<Met>> {
    let job = Arc::new(Job { size, table: Mutex::default(), barrier: Barrier::new(size as usize), change });
    let start = |rank| {
        let manager = Threads { rank, job: Arc::clone(&job) };
        thread::spawn(move || meet(&manager))
    };
    let ranks: Vec<_> = (0..size).map(start).collect();
    ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
}

/// By rank: node and local rank, which all ranks agree about.
fn nodes_of(met: &[Result<Met>]) -> Vec<(u32, u32)> {
    let met: Vec<_> = met.iter().map(|met| met.as_ref().unwrap()).collect();
    for one in &met {
        let nodes = |met: &Met| met.network.peers.iter().map(|at| at.node).collect::<Vec<_>>();
        assert_eq!(nodes(one), nodes(met[0]));
        assert_eq!(one.network.key, met[0].network.key);
    }
    met.iter().map(|met| (met.place.node, met.place.local_rank)).collect()
}

/// The number of the file that a rank has for its node's memory.
fn memory(met: &Result<Met>) -> u64 {
    let memory = met.as_ref().unwrap().memory().unwrap();
    rustix::fs::fstat(memory).unwrap().st_ino
}

fn as_it_is(_: u32, _: &str, value: &str) -> String {
    value.into()
}

#[test]
fn ranks_of_one_machine_share_memory() {
    let met = meet_all(5, as_it_is);
    assert_eq!(nodes_of(&met), [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]);
    let first = memory(&met[0]);
    assert!(met[1..].iter().all(|met| memory(met) == first));
    assert!(met[0].as_ref().unwrap().memory().is_err(), "it is had once");
}

#[test]
fn who_says_another_machine_is_on_another_node() {
    let met = meet_all(4, |rank, key, value| match key {
        "card" => value.replacen(',', &format!(",{}", rank % 2), 1) + &format!(",198.51.100.{rank}/24!"),
        _ => value.into(),
    });
    assert_eq!(nodes_of(&met), [(0, 0), (1, 0), (0, 1), (1, 1)]);
    for (rank, met) in met.iter().enumerate() {
        let other = met.as_ref().unwrap().network.peers[(rank + 1) % 4].address.ip();
        assert_eq!(other.to_string(), format!("198.51.100.{}", (rank + 1) % 4));
    }
}

/// Copies of a virtual machine say the same, but nobody answers at the first one's door.
#[test]
fn who_says_the_same_machine_and_is_elsewhere_is_on_another_node() {
    let elsewhere = |rank: u32, key: &str, value: &str| {
        let mut words: Vec<_> = value.split(',').map(str::to_owned).collect();
        if key == "card" && rank == 0 {
            words[2] = "0".repeat(64);
        }
        words.join(",")
    };
    let met = meet_all(4, elsewhere);
    assert_eq!(nodes_of(&met), [(0, 0), (1, 0), (1, 1), (1, 2)]);
    assert!(met[0].as_ref().unwrap().network.peers[1].address.ip().is_loopback(), "all have the same addresses");
    assert_eq!(memory(&met[1]), memory(&met[3]));
    assert_ne!(memory(&met[0]), memory(&met[2]));
}

#[test]
fn nonsense_of_another_rank_is_an_error_with_its_name() {
    for (change, expected) in [
        ((|rank, key, value| if rank == 1 && key == "card" { "2,new".into() } else { value.into() }) as fn(u32, &str, &str) -> String, "rank 1 cannot be met: its library speaks version 2 of"),
        (|rank, key, value| if rank == 1 && key == "card" { "new".into() } else { value.into() }, "rank 1 cannot be met: it says \"new\", which is no card"),
        (|rank, key, value| if rank == 1 && key == "node0" { "7".into() } else { value.into() }, "node of rank 7"),
        (|_, key, value| if key == "key" { "0".into() } else { value.into() }, "no key"),
    ] {
        for met in meet_all(2, change) {
            let text = met.err().unwrap().text.clone();
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn keys_are_read_as_they_are_written() {
    let key = std::array::from_fn(|at| at as u8 * 7);
    for encrypt in [false, true] {
        for named in ["", "ip", "smp,ip"] {
            let devices: Vec<String> = named.split(',').filter(|name| !name.is_empty()).map(String::from).collect();
            let found = Terms::parse(&Terms { key, encrypt, devices: devices.clone() }.to_text()).unwrap();
            assert_eq!((found.key, found.encrypt, &found.devices), (key, encrypt, &devices));
            let ways: Vec<_> = found.between().map(|device| device.name).collect();
            assert_eq!(ways, ["ip"]);
        }
    }
    assert!(Terms::parse(&"g".repeat(64)).is_none());
}
