//! A segment in a folder: a file whose head is in memory.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::folder::read::{FileAt, Reading, read_at};
use crate::folder::values::manifest::Entry;
use crate::packed::merge::{RunError, SegmentRun};
use crate::packed::rebuild::rebuild;
use crate::packed::row::Found;
use crate::packed::segment::{Footer, Head, find, rows_for};
use crate::packed::walk::{Met, walk};

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    file: Arc<File>,
    head: Head,
}

impl Segment {
    /// Opens the segment at `path`; reads its head only, unless that is damaged: then the rows tell what it said.
    pub(crate) fn open(path: &Path, entry: &Entry) -> io::Result<Self> {
        Self::of_file(File::open(path)?, entry.number, entry.rows)
    }

    /// The same of an open file that has `rows` rows.
    pub(crate) fn of_file(file: File, number: u64, rows: u64) -> io::Result<Self> {
        let file = Arc::new(file);
        let head = match read_head(&file) {
            Ok(head) => head,
            Err(RunError::Damaged(at)) => {
                tracing::warn!(
                    segment = number,
                    at,
                    "the head of a segment is damaged: reading its rows instead"
                );
                rebuild(FileAt::new(file.clone(), 0), file.metadata()?.len(), rows)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            }
            Err(RunError::Io(error)) => return Err(error),
        };
        Ok(Self { number, file, head })
    }

    /// Where the head is damaged on the disk, if it is.
    pub(crate) fn head_damage(&self) -> io::Result<Option<u64>> {
        match read_head(&self.file) {
            Ok(_) => Ok(None),
            Err(RunError::Damaged(at)) => Ok(Some(at)),
            Err(RunError::Io(error)) => Err(error),
        }
    }

    /// Meets all its rows, damaged ones too.
    pub(crate) fn walk(&self, meet: &mut dyn FnMut(Met<'_>) -> io::Result<()>) -> io::Result<()> {
        walk(&self.head, &mut |range| self.read(&range, Reading::Waiting), meet)
    }

    /// Rows in the segment.
    pub(crate) fn rows(&self) -> u64 {
        self.head.rows()
    }

    /// What the segment says of `name`, whose [`hash`](crate::packed::filter::hash) is given.
    pub(crate) fn find(&self, name: &[u8], hash: u64, reading: Reading) -> Result<Option<Found>, RunError> {
        if !self.head.may_hold(hash) {
            return Ok(None);
        }
        let Some(fences) = self.head.fences_for(name) else { return Ok(None) };
        let Some(block) =
            rows_for(&self.read(&fences, reading)?, name).map_err(|bad| bad.behind(fences.start))?
        else {
            return Ok(None);
        };
        let bytes = self.read(&block, reading)?;
        Ok(find(&bytes, name).map_err(|bad| bad.behind(block.start))?.map(Found::of))
    }

    fn read(&self, range: &Range<u64>, reading: Reading) -> io::Result<Vec<u8>> {
        read_at(&self.file, range.start, (range.end - range.start) as usize, reading)
    }

    /// Its rows by name, from `from` on or a few before it.
    pub(crate) fn run(&self, from: &[u8]) -> Result<SegmentRun<FileAt>, RunError> {
        let start = match self.head.fences_for(from) {
            None => 0,
            Some(fences) => {
                let bytes = self.read(&fences, Reading::Waiting)?;
                rows_for(&bytes, from).map_err(|bad| bad.behind(fences.start))?.map_or(0, |block| block.start)
            }
        };
        SegmentRun::start(FileAt::new(self.file.clone(), start), start, self.head.data_end())
    }
}

fn read_head(file: &File) -> Result<Head, RunError> {
    let len = file.metadata()?.len();
    let read =
        |range: Range<u64>| read_at(file, range.start, (range.end - range.start) as usize, Reading::Waiting);
    let footer = Footer::parse(&read(Footer::range(len).unwrap_or(0..len))?, len)?;
    Ok(Head::parse(&footer, Bytes::from(read(footer.head_range())?))?)
}
