//! What a test prints, as events in JSON.
//!
//! Programs of tests mark the lines that tell of their progress with ^V, and errors with ^O and ^N, when they run with
//! `-test.v=test2json`. Sources of the rules: `cmd/internal/test2json/test2json.go`, `go doc test2json`.

mod lines;

use std::time::Instant;

use jiff::Timestamp;
use modkeep_builder::release::Release;
use serde::Serialize;
use serde_json::value::RawValue;

use self::lines::{ESCAPE, FRAME, Lines, Piece};
use crate::gojson;

/// ^O: an error begins.
const ERROR_BEGIN: u8 = 0x0f;
/// ^N: it ends.
const ERROR_END: u8 = 0x0e;
/// Bytes of a line that is looked at as a whole.
const INPUT: usize = 4096;
/// Bytes of output that one event has at most.
const OUTPUT: usize = 1024;

const UPDATES: [&str; 9] = [
    "=== RUN   ",
    "=== PAUSE ",
    "=== CONT  ",
    "=== NAME  ",
    "=== PASS  ",
    "=== FAIL  ",
    "=== SKIP  ",
    "=== ATTR  ",
    "=== ARTIFACTS ",
];
const REPORTS: [&str; 4] = ["--- PASS: ", "--- FAIL: ", "--- SKIP: ", "--- BENCH: "];

/// An event; its fields in go's order.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    action: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    package: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    test: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    output_type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    failed_build: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
}

/// Makes events of what a program prints.
#[derive(Debug)]
pub(super) struct Events {
    package: String,
    /// When it began; nothing where times are left out.
    begun: Option<Instant>,
    input: Lines,
    output: Lines,
    release: Release,
    marks: Marks,
    test: String,
    /// Results that wait for the output behind them, of subtests within each other.
    reports: Vec<Event>,
    result: &'static str,
    failed_build: String,
    done: Vec<u8>,
}

/// What the marks that were met say about the next bytes.
#[derive(Debug, Default)]
struct Marks {
    /// Lines of progress carry a mark.
    frames: bool,
    in_error: bool,
    is_escaped: bool,
}

impl Events {
    /// The start of a package's tests, with times, as a release has them.
    pub(super) fn start(package: &str, release: Release) -> Self {
        Self::new(package, release, Some(Instant::now()), INPUT, OUTPUT)
    }

    fn new(package: &str, release: Release, begun: Option<Instant>, input: usize, output: usize) -> Self {
        let mut events = Self {
            package: package.to_owned(),
            begun,
            input: Lines::of(input),
            output: Lines::of(output),
            marks: Marks::default(),
            release,
            test: String::new(),
            reports: Vec::new(),
            result: "",
            failed_build: String::new(),
            done: Vec::new(),
        };
        events.event(Event { action: "start".to_owned(), ..Event::default() });
        events
    }

    /// Takes what was printed.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        for piece in self.input.write(bytes) {
            match piece {
                Piece::Line(line) => self.line(line),
                Piece::Part(part) => self.print(&part, false),
            }
        }
    }

    /// The events until now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.done)
    }

    /// The program ended, well or not.
    pub(super) fn exited(&mut self, is_well: bool) {
        match (is_well, self.result) {
            (true, "skip") => {}
            (true, _) => self.result = "pass",
            (false, _) => self.result = "fail",
        }
    }

    /// There is no program, since this package could not be built.
    pub(super) fn failed_to_build(&mut self, package: &str) {
        package.clone_into(&mut self.failed_build);
    }

    /// The end of what was printed; gives the last events.
    pub(super) fn end(mut self) -> Vec<u8> {
        if let Some(Piece::Part(part) | Piece::Line(part)) = self.input.rest() {
            self.print(&part, false);
        }
        self.flush_output();
        if !self.result.is_empty() {
            let mut last = Event { action: self.result.to_owned(), ..Event::default() };
            last.elapsed = self.begun.and_then(|begun| {
                let millis = (begun.elapsed().as_secs_f64() * 1e3).round();
                number(millis / 1e3)
            });
            if self.result == "fail" {
                last.failed_build = std::mem::take(&mut self.failed_build);
            }
            self.event(last);
        }
        self.done
    }

    fn line(&mut self, line: Vec<u8>) {
        let has_mark = line.first() == Some(&FRAME);
        if self.marks.frames && !has_mark {
            return self.print(&line, false);
        }
        let mut line = line;
        if has_mark {
            self.flush_output();
            line.remove(0);
        }
        let without_end = |line: &[u8]| {
            let line = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            line.map(<[u8]>::to_vec)
        };
        let mut trimmed = without_end(&line).unwrap_or_else(|| line.clone());
        if trimmed == b"=== NAME" {
            // The spaces before the empty name may be lost.
            line = b"=== NAME  \n".to_vec();
            trimmed = b"=== NAME  ".to_vec();
        }
        if trimmed == b"PASS" || trimmed == b"FAIL" || trimmed.starts_with(b"FAIL\t") {
            self.report_from(0);
            self.marks.frames = has_mark;
            self.print(&line, true);
            self.result = if trimmed == b"PASS" { "pass" } else { "fail" };
            return;
        }
        if line.starts_with(b"?   \t") && trimmed.ends_with(b"\t[no test files]") && self.reports.is_empty() {
            self.result = "skip";
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        if UPDATES.iter().any(|update| text.starts_with(update)) {
            return self.update(&text, &line, has_mark);
        }
        let inner = text.trim_start_matches("    ");
        let depth = (text.len() - inner.len()) / 4;
        if REPORTS.iter().any(|report| inner.starts_with(report)) {
            return self.report(inner, depth, &line, has_mark);
        }
        // The indentation tells which of the subtests it is that prints.
        if depth > 0
            && let Some(report) = self.reports.get(depth - 1)
        {
            self.test.clone_from(&report.test);
        }
        self.print(&line, false);
    }

    fn update(&mut self, text: &str, line: &[u8], has_mark: bool) {
        let (action, name) = action_and_name(text);
        let mut event = Event { action, ..Event::default() };
        let mut name = name.to_owned();
        let split = |text: &str| {
            let (before, after) = text.split_once(' ').unwrap_or((text, ""));
            (before.to_owned(), after.to_owned())
        };
        match event.action.as_str() {
            "artifacts" => (name, event.path) = split(&name),
            "attr" => {
                let rest;
                (name, rest) = split(&name);
                (event.key, event.value) = split(&rest);
            }
            _ => {}
        }
        self.marks.frames = has_mark;
        self.report_from(0);
        self.test = name;
        match event.action.as_str() {
            // It only says whose output follows.
            "name" => {}
            "pause" => {
                self.print(line, true);
                self.event(event);
            }
            _ => {
                self.event(event);
                self.print(line, true);
            }
        }
    }

    fn report(&mut self, inner: &str, depth: usize, line: &[u8], has_mark: bool) {
        let (action, name) = action_and_name(inner);
        let (name, time) = name.split_once(" (").unwrap_or((name, ""));
        let seconds = time.strip_suffix("s)").and_then(|time| time.parse().ok());
        if self.reports.len() < depth {
            return self.print(line, false);
        }
        self.marks.frames = has_mark;
        self.report_from(depth);
        name.clone_into(&mut self.test);
        let elapsed = seconds.filter(|_| self.begun.is_some()).and_then(number);
        self.reports.push(Event { action, test: self.test.clone(), elapsed, ..Event::default() });
        self.print(line, true);
    }

    /// Tells the results that wait, down to a depth.
    fn report_from(&mut self, depth: usize) {
        self.test.clear();
        while self.reports.len() > depth {
            if let Some(event) = self.reports.pop() {
                self.event(event);
            }
        }
    }

    fn print(&mut self, bytes: &[u8], is_frame: bool) {
        for piece in self.output.write(bytes) {
            let (Piece::Line(out) | Piece::Part(out)) = piece;
            self.output_event(&out, is_frame);
        }
    }

    fn flush_output(&mut self) {
        if let Some(Piece::Line(out) | Piece::Part(out)) = self.output.rest() {
            self.output_event(&out, false);
        }
    }

    fn output_event(&mut self, out: &[u8], is_frame: bool) {
        if !self.release.tells_kinds_of_output() {
            // Its tests mark no errors, so that these bytes are the test's own.
            return self.output_of(out.to_vec(), "");
        }
        let mut kind = match (is_frame, self.marks.in_error) {
            (true, _) => "frame",
            (_, true) => "error-continue",
            _ => "",
        };
        let mut text = Vec::with_capacity(out.len());
        let mut rest = out.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            match byte {
                _ if std::mem::take(&mut self.marks.is_escaped) => text.push(byte),
                ESCAPE => self.marks.is_escaped = true,
                ERROR_BEGIN => {
                    if !text.is_empty() {
                        self.output_of(std::mem::take(&mut text), kind);
                    }
                    self.marks.in_error = true;
                    kind = "error";
                }
                ERROR_END => {
                    text.extend(rest.next_if_eq(&b'\n'));
                    self.output_of(std::mem::take(&mut text), kind);
                    self.marks.in_error = false;
                    kind = "";
                }
                byte => text.push(byte),
            }
        }
        if !text.is_empty() {
            self.output_of(text, kind);
        }
    }

    fn output_of(&mut self, text: Vec<u8>, output_type: &'static str) {
        let output_type = if self.release.tells_kinds_of_output() { output_type } else { "" };
        let output = Some(json(&text, self.release));
        self.event(Event { action: "output".to_owned(), output, output_type, ..Event::default() });
    }

    fn event(&mut self, mut event: Event) {
        event.package.clone_from(&self.package);
        event.time = self.begun.map(|_| Timestamp::now().to_string());
        if event.test.is_empty() {
            event.test.clone_from(&self.test);
        }
        let text = gojson::compact(&event).expect("events have texts for keys");
        self.done.extend(text.bytes().chain([b'\n']));
    }
}

/// What stands behind `=== ` or `--- `.
fn action_and_name(text: &str) -> (String, &str) {
    let (action, name) = text["=== ".len()..].split_once(' ').unwrap_or((&text["=== ".len()..], ""));
    (action.trim_end_matches(':').to_lowercase(), name.trim())
}

/// Go shows whole seconds without a fraction.
fn number(seconds: f64) -> Option<serde_json::Number> {
    match seconds.fract() == 0.0 && seconds.abs() < 1e15 {
        true => Some(serde_json::Number::from(seconds as i64)),
        false => serde_json::Number::from_f64(seconds),
    }
}

/// A string with what was printed. Each byte that is no UTF-8 counts as one replacement character.
fn json(bytes: &[u8], release: Release) -> Box<RawValue> {
    let replacement = if release.escapes_what_is_no_text() { "\\ufffd" } else { "\u{fffd}" };
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for chunk in bytes.utf8_chunks() {
        let quoted = serde_json::Value::from(chunk.valid()).to_string();
        text.push_str(&quoted[1..quoted.len() - 1]);
        text.extend(chunk.invalid().iter().map(|_| replacement));
    }
    text.push('"');
    RawValue::from_string(text).expect("it is a string")
}

#[cfg(test)]
mod tests;
