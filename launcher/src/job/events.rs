//! `--json-events`: what happens to the job, one JSON object per line, written at once.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

/// The file, if there is one.
#[derive(Debug)]
pub struct Events {
    file: Option<File>,
    start: Instant,
}

impl Events {
    pub fn new(path: Option<&Path>) -> Result<Self, String> {
        let file = path.map(|path| {
            File::create(path).map_err(|error| format!("--json-events: cannot make {}: {error}", path.display()))
        });
        Ok(Self { file: file.transpose()?, start: Instant::now() })
    }

    /// Writes an event with its fields; an error is returned once, and nothing is written afterwards.
    pub fn write(&mut self, event: &str, fields: Value) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut object = Map::new();
        object.insert("event".into(), event.into());
        object.insert("seconds".into(), json!((self.start.elapsed().as_secs_f64() * 1e6).round() / 1e6));
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        let written = writeln!(file, "{}", Value::Object(object));
        written.map_err(|error| {
            self.file = None;
            format!("--json-events: the file cannot be written: {error}")
        })
    }
}
