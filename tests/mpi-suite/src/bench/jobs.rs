//! Runs whose cells the program prints, alone or beside others; and jobs that share the cores with other jobs.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::measure::{Done, Setting, failure, launch, line};
use super::series::Line;
use crate::run::Ended;
use crate::sys;

/// A job whose program prints its cells.
pub fn cells(setting: &Setting) -> Result<Done> {
    let ended = launch(setting, setting.program.args, "run")?;
    let mut lines: Vec<Line> = Vec::new();
    let mut failure = failure(&ended);
    for text in ended.stdout.lines().filter(|line| line.starts_with('{')) {
        match serde_json::from_str(text) {
            Ok(line) => lines.push(line),
            // Who is ended may be in the middle of a line.
            Err(_) if failure.is_some() => {}
            Err(error) => failure = Some(format!("{error} in {text}")),
        }
    }
    if lines.is_empty() && failure.is_none() {
        failure = Some("no cell was printed".into());
    }
    Ok(Done { lines, failure, seconds: ended.seconds })
}

/// The same while a sequential program computes on the same cores.
pub fn beside_hog(setting: &Setting) -> Result<Done> {
    let hog = Hog::start(setting.hog)?;
    let done = cells(setting);
    drop(hog);
    done
}

/// When a job's loop began and ended, in seconds of the machine's clock.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Loop {
    began: f64,
    ended: f64,
}

impl Loop {
    fn seconds(self) -> f64 {
        self.ended - self.began
    }
}

/// Jobs of two ranks on the same cores: two beside each other against two after each other, the slowest of four against the
/// quickest, and what a sequential program keeps of a core beside one.
pub fn together(setting: &Setting) -> Result<Done> {
    let mut lines = Vec::new();
    let failure = measure(setting, &mut lines)?.err();
    Ok(Done { lines, failure, seconds: 0.0 })
}

/// The inner result is what the jobs did, the outer one whether they could be run.
fn measure(setting: &Setting, lines: &mut Vec<Line>) -> Result<Result<(), String>> {
    let alone = match at_once(setting, 1)? {
        Ok(loops) => loops[0].seconds(),
        Err(why) => return Ok(Err(format!("alone: {why}"))),
    };
    let mut add = |test, unit, value| lines.push(line(setting.program, test, unit, value));
    match at_once(setting, 2)? {
        Ok(loops) => {
            let first = loops.iter().map(|job| job.began).fold(f64::INFINITY, f64::min);
            let last = loops.iter().map(|job| job.ended).fold(0.0, f64::max);
            add("jobs_two", "x", (last - first) / (2.0 * alone));
        }
        Err(why) => return Ok(Err(format!("two jobs: {why}"))),
    }
    match at_once(setting, 4)? {
        Ok(loops) => {
            let seconds = || loops.iter().map(|job| job.seconds());
            add("jobs_four", "x", seconds().fold(0.0, f64::max) / seconds().fold(f64::INFINITY, f64::min));
        }
        Err(why) => return Ok(Err(format!("four jobs: {why}"))),
    }
    let hog = Hog::start(setting.hog)?;
    let (beside, samples) = hog.watched(|| at_once(setting, 1));
    match beside? {
        Ok(loops) => add("jobs_competitor", "share", share_of_a_core(&samples, loops[0])),
        Err(why) => return Ok(Err(format!("beside a sequential program: {why}"))),
    }
    Ok(Ok(()))
}

/// So many jobs at the same time.
fn at_once(setting: &Setting, jobs: usize) -> Result<Result<Vec<Loop>, String>> {
    let ended: Vec<Result<Ended>> = std::thread::scope(|scope| {
        let start = |job| scope.spawn(move || launch(setting, setting.program.args, &format!("run{job}")));
        let running: Vec<_> = (0..jobs).map(start).collect();
        running.into_iter().map(|job| job.join().expect("launching does not panic")).collect()
    });
    let mut loops = Vec::new();
    for ended in ended {
        let ended = ended?;
        if let Some(why) = failure(&ended) {
            return Ok(Err(why));
        }
        match serde_json::from_str(ended.stdout.trim()) {
            Ok(one) => loops.push(one),
            Err(error) => return Ok(Err(format!("{error} in {}", ended.stdout.trim()))),
        }
    }
    Ok(Ok(loops))
}

/// A sequential program that computes for as long as this lives.
struct Hog {
    child: Child,
}

/// What time it was, and how long the program had run by then, in seconds.
#[derive(Clone, Copy)]
struct Sample {
    at: f64,
    ran: f64,
}

impl Hog {
    fn start(program: &Path) -> Result<Hog> {
        let child = Command::new(program).stdin(Stdio::null()).spawn();
        Ok(Hog { child: child.with_context(|| format!("starting {}", program.display()))? })
    }

    /// Does something, and looks all the while how long the program has run.
    fn watched<T: Send>(&self, something: impl FnOnce() -> T + Send) -> (T, Vec<Sample>) {
        std::thread::scope(|scope| {
            let doing = scope.spawn(something);
            let mut samples = vec![self.sample()];
            while !doing.is_finished() {
                std::thread::sleep(Duration::from_millis(5));
                samples.push(self.sample());
            }
            (doing.join().expect("launching does not panic"), samples)
        })
    }

    fn sample(&self) -> Sample {
        let schedstat = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap_or_default();
        let ran_ns: f64 = schedstat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Sample { at: sys::monotonic_s(), ran: ran_ns * 1e-9 }
    }
}

/// Over the time of the loop: a job's start and end are not what is asked for.
fn share_of_a_core(samples: &[Sample], during: Loop) -> f64 {
    let first = samples.iter().find(|sample| sample.at >= during.began);
    let last = samples.iter().rfind(|sample| sample.at <= during.ended);
    match (first, last) {
        (Some(first), Some(last)) if last.at > first.at => (last.ran - first.ran) / (last.at - first.at),
        _ => 0.0,
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        // It never ends by itself; that it may be gone is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_the_loop() {
        let samples = [(0.0, 0.0), (1.0, 1.0), (2.0, 1.5), (3.0, 2.0), (4.0, 3.0)];
        let samples = samples.map(|(at, ran)| Sample { at, ran });
        assert_eq!(share_of_a_core(&samples, Loop { began: 0.9, ended: 3.1 }), 0.5);
        assert_eq!(share_of_a_core(&samples, Loop { began: 5.0, ended: 6.0 }), 0.0);
    }
}
