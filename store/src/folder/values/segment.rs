//! A segment in a folder: a file whose head is in memory.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::folder::read::{FileAt, Reading, read_at};
use crate::folder::values::log::Found;
use crate::packed::merge::{RunError, SegmentRun};
use crate::packed::row::Tag;
use crate::packed::segment::{Footer, Head, find, rows_for};

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    file: Arc<File>,
    head: Head,
}

impl Segment {
    /// Opens the segment at `path`; reads its head only.
    pub(crate) fn open(path: &Path, number: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let damaged = |_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the head of segment {number} is damaged"))
        };
        let read = |range: Range<u64>| {
            read_at(&file, range.start, (range.end - range.start) as usize, Reading::Waiting)
        };
        let footer = read(Footer::range(len).unwrap_or(0..len))?;
        let footer = Footer::parse(&footer, len).map_err(damaged)?;
        let head = Head::parse(&footer, Bytes::from(read(footer.head_range())?)).map_err(damaged)?;
        Ok(Self { number, file: Arc::new(file), head })
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
        let row = find(&bytes, name).map_err(|bad| bad.behind(block.start))?;
        Ok(row.map(|row| match row.tag {
            Tag::Removed => Found::Removed,
            _ => Found::Present(Bytes::copy_from_slice(row.payload)),
        }))
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
