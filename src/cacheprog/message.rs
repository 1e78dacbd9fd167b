//! The messages of the protocol: one JSON object a line, with blank lines between; the body of a put follows as a text in
//! Base64.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::time::SystemTime;

use modkeep_builder::action_id::ActionId;
use modkeep_store::Digest;
use serde::Deserialize;
use serde_json::json;

/// The longest line: a body of 1 GiB.
const MAX_LINE: u64 = 1500 << 20;

/// What the go command wants.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Request {
    #[serde(rename = "ID")]
    pub(super) id: u64,
    pub(super) command: String,
    #[serde(rename = "ActionID")]
    action_id: String,
    #[serde(rename = "OutputID")]
    output_id: String,
    body_size: u64,
    /// Behind the object.
    #[serde(skip)]
    pub(super) body: Vec<u8>,
}

/// What it is told.
#[derive(Debug, Default)]
pub(super) struct Reply<'a> {
    pub(super) id: u64,
    pub(super) err: Option<String>,
    pub(super) known_commands: &'a [&'a str],
    pub(super) miss: bool,
    pub(super) output_id: Option<[u8; 32]>,
    pub(super) size: u64,
    pub(super) time: Option<SystemTime>,
    pub(super) disk_path: Option<PathBuf>,
}

impl Request {
    /// The next request with its body; nothing at the end.
    pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(line) = line(input)? else { return Ok(None) };
        let mut request: Self = serde_json::from_slice(&line)?;
        if request.body_size > 0 {
            let text = line_with(input, "the body of a put")?;
            let text: &str = serde_json::from_slice(&text)?;
            request.body = decode(text).ok_or_else(|| invalid("a body that is no Base64"))?;
            if request.body.len() as u64 != request.body_size {
                return Err(invalid("a body of another size than was said"));
            }
        }
        Ok(Some(request))
    }

    pub(super) fn action(&self) -> Option<ActionId> {
        Some(ActionId::from(bytes(&self.action_id)?))
    }

    pub(super) fn output(&self) -> Option<Digest> {
        Some(Digest::from(bytes(&self.output_id)?))
    }
}

impl Reply<'_> {
    /// The line, with its end.
    pub(super) fn text(&self) -> String {
        let mut fields = serde_json::Map::new();
        let mut add = |name: &str, value: serde_json::Value| fields.insert(name.to_owned(), value);
        add("ID", json!(self.id));
        if let Some(error) = &self.err {
            add("Err", json!(error));
        }
        if !self.known_commands.is_empty() {
            add("KnownCommands", json!(self.known_commands));
        }
        if self.miss {
            add("Miss", json!(true));
        }
        if let Some(output) = &self.output_id {
            add("OutputID", json!(encode(output)));
            add("Size", json!(self.size));
        }
        if let Some(time) = self.time.and_then(|time| jiff::Timestamp::try_from(time).ok()) {
            add("Time", json!(time.to_string()));
        }
        if let Some(path) = &self.disk_path {
            add("DiskPath", json!(path.to_string_lossy()));
        }
        format!("{}\n", serde_json::Value::Object(fields))
    }
}

/// The next line that isn't blank.
fn line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        io::Read::take(&mut *input, MAX_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

fn line_with(input: &mut impl BufRead, what: &str) -> io::Result<Vec<u8>> {
    line(input)?.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, format!("{what} is missing")))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    decode(text)?.try_into().ok()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    data_encoding::BASE64.decode(text.as_bytes()).ok()
}

fn encode(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_one_after_the_other_with_their_bodies() {
        let action = encode(&[1; 32]);
        let output = encode(Digest::of(b"body").as_bytes());
        let text = format!(
            "{{\"ID\":1,\"Command\":\"get\",\"ActionID\":\"{action}\"}}\n\n\
             {{\"ID\":2,\"Command\":\"put\",\"ActionID\":\"{action}\",\"OutputID\":\"{output}\",\"BodySize\":4}}\n\n\"Ym9keQ==\"\n\
             {{\"ID\":3,\"Command\":\"close\"}}\n"
        );
        let mut input = text.as_bytes();
        let mut next = || Request::read(&mut input).unwrap();
        let get = next().unwrap();
        assert_eq!((get.id, get.command.as_str(), get.action()), (1, "get", Some(ActionId::from([1; 32]))));
        let put = next().unwrap();
        assert_eq!((put.output(), put.body.as_slice()), (Some(Digest::of(b"body")), &b"body"[..]));
        assert_eq!(next().unwrap().command, "close");
        assert!(next().is_none());
    }

    #[test]
    fn a_broken_message_is_an_error() {
        for text in ["x\n", "{\"BodySize\":4}\n", "{\"BodySize\":4}\n\"Ym9k\"\n", "{\"BodySize\":4}\n\"!\"\n"]
        {
            assert!(Request::read(&mut text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reply_says_what_it_has() {
        assert_eq!(Reply { id: 7, miss: true, ..Reply::default() }.text(), "{\"ID\":7,\"Miss\":true}\n");
        let empty = Reply { id: 1, output_id: Some([0; 32]), ..Reply::default() }.text();
        assert!(empty.contains("\"Size\":0"), "{empty}");
    }
}
