//! Rewriting what is damaged without the damaged rows. The files as they were go to the quarantine.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::check::Report;
use crate::durable::Appending;
use crate::folder::read::Reading;
use crate::folder::values::manifest::{Entry, log_path, segment_path};
use crate::folder::values::seal::{BUFFER, Plan};
use crate::folder::values::segment::Segment;
use crate::folder::values::view::View;
use crate::folder::values::{Values, examine};
use crate::packed::build::Builder;
use crate::packed::merge::{Merge, Run, RunError};
use crate::packed::walk::Met;

impl Values {
    /// Makes the damaged rows absent, which they are not before: reading them is an error.
    pub(crate) fn repair(&self) -> Result<(), RunError> {
        let sealing = self.sealing.lock();
        sealing.lock()?;
        let repaired = self.repair_alone();
        sealing.unlock()?;
        repaired
    }

    fn repair_alone(&self) -> Result<(), RunError> {
        let view = self.fresh(Reading::Waiting)?;
        if examine::logs_are_damaged(&view)? {
            let locked = self.lock()?;
            let view = self.catch_up(&locked)?;
            self.begin_log(&locked, &view.manifest)?;
            drop(locked);
            self.repair_logs()?;
        }
        let view = self.fresh(Reading::Waiting)?;
        for (segment, entry) in view.segments.iter().zip(&view.manifest.segments) {
            let mut report = Report::default();
            examine::segment(&view, segment, &mut report)?;
            if !report.is_clean() {
                self.repair_segment(segment, *entry)?;
            }
        }
        // a damaged manifest is replaced by any change of it
        let locked = self.lock()?;
        let mut manifest = self.catch_up(&locked)?.manifest.clone();
        manifest.generation += 1;
        Ok(self.publish(&locked, manifest)?)
    }

    /// Seals all logs but the new one, without the rows that cannot be read.
    fn repair_logs(&self) -> Result<(), RunError> {
        let view = self.fresh(Reading::Waiting)?;
        let (_, full) = view.manifest.logs.split_last().unwrap_or((&0, &[]));
        let plan = Plan { logs: full.to_vec(), segments: Vec::new(), level: 0, oldest: false };
        let salvage = |file: &File| self.salvage_logs(&view, file);
        self.replace_by(&plan, salvage)?;
        for log in full {
            self.put_away(&log_path(&self.folder, *log))?;
        }
        Ok(())
    }

    fn salvage_logs(&self, view: &View, file: &File) -> Result<Entry, RunError> {
        let mut runs: Vec<Box<dyn Run>> = Vec::new();
        let mut rows = 0;
        for log in &view.logs[1..] {
            runs.push(Box::new(log.salvage()?));
            rows += log.rows();
        }
        let mut builder =
            Builder::new(BufWriter::with_capacity(BUFFER, Appending::new(&self.disk, file)), rows);
        Merge::new(runs).write(&mut builder, true)?;
        finish(builder, 0)
    }

    fn repair_segment(&self, segment: &Segment, entry: Entry) -> Result<(), RunError> {
        let plan = Plan { logs: Vec::new(), segments: vec![entry], level: entry.level, oldest: false };
        let salvage = |file: &File| {
            let mut builder = Builder::new(
                BufWriter::with_capacity(BUFFER, Appending::new(&self.disk, file)),
                segment.rows(),
            );
            segment.walk(&mut |met| match met {
                Met::Row(row) => builder.push(row),
                Met::BadRow { .. } | Met::Lost { .. } => Ok(()),
            })?;
            finish(builder, entry.level)
        };
        self.replace_by(&plan, salvage)?;
        Ok(self.put_away(&segment_path(&self.folder, entry.number))?)
    }

    /// Replaces the inputs of `plan` by the segment that `write` writes.
    fn replace_by(
        &self,
        plan: &Plan,
        write: impl Fn(&File) -> Result<Entry, RunError>,
    ) -> Result<(), RunError> {
        let path = self.temp.join("repaired");
        self.disk.remove(&path)?;
        let file = self.disk.create(&path)?;
        let entry = write(&file)?;
        self.disk.sync(&file)?;
        Ok(self.put_in_place(plan, entry, &path)?)
    }

    /// Keeps a damaged file for its operator.
    fn put_away(&self, path: &Path) -> io::Result<()> {
        self.disk.make_folder(&self.quarantine)?;
        match path.file_name() {
            Some(name) => self.disk.rename(path, &self.quarantine.join(name)),
            None => Ok(()),
        }
    }
}

fn finish<W: Write>(builder: Builder<W>, level: u64) -> Result<Entry, RunError> {
    let (mut out, rows, len) = builder.finish()?;
    out.flush()?;
    Ok(Entry { number: 0, level, rows, len })
}
