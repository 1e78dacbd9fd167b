//! What is remembered of a directory between runs, and its form in the memory.
//!
//! Only what is in order is remembered; a file with a mistake is read again each time.

use std::ops::Range;

use modkeep_store::{Digest, Stamp};

use super::Language;
use super::directory::Content;
use crate::constraint::Expression;
use crate::memory::{Reader, Slice, Writer};
use crate::scan::{Condition, Directive, Embed, GoFile, Import, Position};

/// Deeper expressions than any that can be read are damage.
const DEEPEST: usize = 2000;

/// What is remembered of a file.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) stamp: Stamp,
    pub(super) digest: Option<Digest>,
    pub(super) content: Option<Says>,
}

/// What a file says, in the form of the memory.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Old(Slice),
    New(Vec<u8>),
}

impl Says {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Old(slice) => slice.bytes(),
            Self::New(bytes) => bytes,
        }
    }
}

const HAS_STAMP: u64 = 1;
const HAS_DIGEST: u64 = 2;
const HAS_CONTENT: u64 = 4;

/// What is remembered of a directory: what it looked like, and the directories in it.
pub(super) fn head(record: &Slice) -> Option<(Stamp, Vec<String>)> {
    let mut reader = record.reader();
    let stamp = reader.stamp()?;
    let count = reader.number()?;
    let below = (0..count).map(|_| reader.text().map(str::to_owned)).collect::<Option<_>>()?;
    Some((stamp, below))
}

/// What `make` makes of the files that are remembered of a directory, up to and with the first of which `is_last` says so.
pub(super) fn files<T>(
    record: &Slice,
    make: impl Fn(&str, Option<Kept>) -> T,
    is_last: impl Fn(&str) -> bool,
) -> Option<Vec<T>> {
    let mut reader = record.reader();
    reader.stamp()?;
    for _ in 0..reader.number()? {
        reader.bytes()?;
    }
    let count = reader.number()?;
    // A name and what there is of it take two bytes at least.
    let mut files = Vec::with_capacity(usize::try_from(count).ok()?.min(record.bytes().len() / 2));
    for _ in 0..count {
        let name = reader.text()?;
        let has = reader.number()?;
        let mut kept = None;
        if has & HAS_STAMP != 0 {
            let stamp = reader.stamp()?;
            let digest = if has & HAS_DIGEST != 0 { Some(reader.digest()?) } else { None };
            let content: Option<Range<usize>> =
                if has & HAS_CONTENT != 0 { Some(reader.range()?) } else { None };
            let content = content.map(|range| Says::Old(record.part(&range)));
            kept = Some(Kept { stamp, digest, content });
        }
        files.push(make(name, kept));
        if is_last(name) {
            break;
        }
    }
    Some(files)
}

/// The record of a directory.
pub(super) fn record<'f>(
    stamp: &Stamp,
    below: &[String],
    files: impl ExactSizeIterator<Item = (&'f str, Option<Kept>)>,
) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.stamp(stamp);
    writer.number(below.len() as u64);
    below.iter().for_each(|name| writer.text(name));
    writer.number(files.len() as u64);
    for (name, kept) in files {
        writer.text(name);
        let Some(kept) = kept else {
            writer.number(0);
            continue;
        };
        let digest = kept.digest.map_or(0, |_| HAS_DIGEST);
        let content = kept.content.as_ref().map_or(0, |_| HAS_CONTENT);
        writer.number(HAS_STAMP | digest | content);
        writer.stamp(&kept.stamp);
        if let Some(digest) = &kept.digest {
            writer.digest(digest);
        }
        if let Some(content) = &kept.content {
            writer.bytes(content.bytes());
        }
    }
    writer.into_bytes()
}

impl Kept {
    /// What the file says.
    pub(super) fn content(&self, language: Option<Language>) -> Option<Content> {
        let mut reader = Reader::new(self.content.as_ref()?.bytes());
        let condition = read_condition(&mut reader)?;
        match language {
            Some(language) => Some(Content::Other(language, Ok(condition))),
            None => Some(Content::Go(Box::new(read_go(&mut reader, condition)?))),
        }
    }
}

/// What a file says, if that is in order.
pub(super) fn content(content: &Content) -> Option<Vec<u8>> {
    let mut writer = Writer::default();
    match content {
        Content::Other(Language::Object, _) | Content::Nul | Content::Unreadable(..) => return None,
        Content::Other(_, condition) => write_condition(condition.as_ref().ok()?, &mut writer),
        Content::Go(file) => {
            if file.error.is_some() {
                return None;
            }
            write_condition(file.condition.as_ref().ok()?, &mut writer);
            write_go(file, &mut writer);
        }
    }
    Some(writer.into_bytes())
}

fn write_go(file: &GoFile, writer: &mut Writer) {
    let position = |writer: &mut Writer, position: &Position| {
        writer.number(position.line.into());
        writer.number(position.column.into());
    };
    writer.text(&file.package);
    writer.text(&file.doc);
    writer.number(file.imports.len() as u64);
    for import in &file.imports {
        writer.text(&import.path);
        position(writer, &import.position);
        writer.number(import.cgo.len() as u64);
        import.cgo.iter().for_each(|line| writer.text(line));
    }
    writer.number(file.embeds.len() as u64);
    for embed in &file.embeds {
        writer.text(&embed.pattern);
        position(writer, &embed.position);
    }
    writer.number(file.directives.len() as u64);
    for directive in &file.directives {
        writer.text(&directive.text);
        position(writer, &directive.position);
    }
}

fn read_go(reader: &mut Reader<'_>, condition: Condition) -> Option<GoFile> {
    let position = |reader: &mut Reader<'_>| {
        let (line, column) = (reader.number()?, reader.number()?);
        Some(Position { line: line.try_into().ok()?, column: column.try_into().ok()? })
    };
    let (package, doc) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let mut imports = Vec::new();
    for _ in 0..reader.number()? {
        let path = reader.text()?.to_owned();
        let position = position(reader)?;
        let mut cgo = Vec::new();
        for _ in 0..reader.number()? {
            cgo.push(reader.text()?.to_owned());
        }
        imports.push(Import { path, position, cgo });
    }
    let mut embeds = Vec::new();
    for _ in 0..reader.number()? {
        embeds.push(Embed { pattern: reader.text()?.to_owned(), position: position(reader)? });
    }
    let mut directives = Vec::new();
    for _ in 0..reader.number()? {
        directives.push(Directive { text: reader.text()?.to_owned(), position: position(reader)? });
    }
    Some(GoFile { condition: Ok(condition), package, doc, imports, embeds, directives, error: None })
}

fn write_condition(condition: &Condition, writer: &mut Writer) {
    match condition {
        Condition::Always => writer.number(0),
        Condition::All(expressions) => {
            writer.number(expressions.len() as u64 + 1);
            expressions.iter().for_each(|expression| write_expression(expression, writer));
        }
    }
}

fn read_condition(reader: &mut Reader<'_>) -> Option<Condition> {
    match reader.number()? {
        0 => Some(Condition::Always),
        count => {
            let mut expressions = Vec::new();
            for _ in 1..count {
                expressions.push(read_expression(reader, DEEPEST)?);
            }
            Some(Condition::All(expressions))
        }
    }
}

fn write_expression(expression: &Expression, writer: &mut Writer) {
    match expression {
        Expression::Tag(tag) => {
            writer.number(0);
            writer.text(tag);
        }
        Expression::Not(x) => {
            writer.number(1);
            write_expression(x, writer);
        }
        Expression::And(x, y) => {
            writer.number(2);
            write_expression(x, writer);
            write_expression(y, writer);
        }
        Expression::Or(x, y) => {
            writer.number(3);
            write_expression(x, writer);
            write_expression(y, writer);
        }
    }
}

fn read_expression(reader: &mut Reader<'_>, depth: usize) -> Option<Expression> {
    let depth = depth.checked_sub(1)?;
    let kind = reader.number()?;
    let next = |reader: &mut Reader<'_>| read_expression(reader, depth).map(Box::new);
    Some(match kind {
        0 => Expression::Tag(reader.text()?.to_owned()),
        1 => Expression::Not(next(reader)?),
        2 => Expression::And(next(reader)?, next(reader)?),
        3 => Expression::Or(next(reader)?, next(reader)?),
        _ => return None,
    })
}
