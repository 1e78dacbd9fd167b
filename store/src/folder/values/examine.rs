//! Reading every row there is, and telling the damaged ones by name where that can be done.

use std::fs;
use std::io;

use crate::check::{Damage, Report};
use crate::folder::read::Reading;
use crate::folder::values::Values;
use crate::folder::values::log::Log;
use crate::folder::values::manifest::Manifest;
use crate::folder::values::segment::Segment;
use crate::folder::values::view::View;
use crate::packed::name::{Shelf, parse_row_name};
use crate::packed::walk::Met;

impl Values {
    /// Reads all rows. Those of a segment that is merged away meanwhile are still read.
    pub(crate) fn examine(&self) -> io::Result<Report> {
        let view = self.fresh(Reading::Waiting)?;
        let mut report = Report::default();
        for file in Manifest::damaged_copies(&self.folder) {
            report.damage.push(Damage::Bytes { file: file.into(), at: 0 });
        }
        for log in &view.logs {
            examine_log(&view, log, &mut report)?;
        }
        for segment in &view.segments {
            self::segment(&view, segment, &mut report)?;
        }
        Ok(report)
    }
}

impl Values {
    /// Rows, bytes and files.
    pub(crate) fn count(&self) -> io::Result<(u64, u64, u64)> {
        let view = self.fresh(Reading::Waiting)?;
        let rows = view
            .logs
            .iter()
            .map(|log| log.rows())
            .chain(view.segments.iter().map(|segment| segment.rows()))
            .sum();
        let (mut bytes, mut files) = (0, 0);
        for entry in fs::read_dir(&self.folder)? {
            files += 1;
            bytes += entry?.metadata().map_or(0, |metadata| metadata.len());
        }
        Ok((rows, bytes, files))
    }
}

/// Whether any row of a log cannot be read.
pub(crate) fn logs_are_damaged(view: &View) -> io::Result<bool> {
    let mut report = Report::default();
    for log in &view.logs {
        examine_log(view, log, &mut report)?;
    }
    Ok(!report.is_clean())
}

fn examine_log(view: &View, log: &Log, report: &mut Report) -> io::Result<()> {
    let file = format!("log-{}", log.number);
    for range in log.unreadable() {
        report.damage.push(Damage::Bytes { file: file.clone(), at: range.start });
    }
    log.visit(&mut |name, at, whole| {
        report.rows += 1;
        if !whole {
            report.damage.push(damage(view, name, &file, at));
        }
    })
}

/// Reads the rows of one segment.
pub(crate) fn segment(view: &View, segment: &Segment, report: &mut Report) -> io::Result<()> {
    let file = format!("segment-{}", segment.number);
    if let Some(at) = segment.head_damage()? {
        report.damage.push(Damage::Bytes { file: file.clone(), at });
    }
    segment.walk(&mut |met| {
        report.rows += 1;
        match met {
            Met::Row(_) => {}
            Met::BadRow { name, at } => report.damage.push(damage(view, name, &file, at)),
            Met::Lost { at } => report.damage.push(Damage::Bytes { file: file.clone(), at }),
        }
        Ok(())
    })
}

/// The damage of a row that seems to have this name: by key if that is what reading the key says too.
fn damage(view: &View, name: &[u8], file: &str, at: u64) -> Damage {
    match parse_row_name(name) {
        Some((key, shelf)) if view.find(name, Reading::Waiting).is_err() => match shelf {
            Shelf::Cell => Damage::Cell(key),
            Shelf::Value => Damage::Value(key),
        },
        _ => Damage::Bytes { file: file.into(), at },
    }
}
