//! What leaves after the head: nothing, a few bytes, a part of a stored file, or a stream of these.
//!
//! A file is named by handle and range. Where the kernel can move it to the connection ([`Way`]) that gets the name;
//! elsewhere the file is read in bounded pieces on blocking threads, and the pieces of all clients share a [`Room`].
//!
//! [`Room`]: crate::wire::room::Room

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::access::Tally;
use crate::wire::Chunk;
use crate::wire::line::{Turn, Way};
use crate::wire::room::Place;

/// Bytes of a file that are in memory at once for a client that comes when the memory for all is taken.
const SCANT_PIECE: usize = 8 * 1024;

/// A stream that broke: the connection ends short of what was promised, so that no client takes it for whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("reading a stored file")]
    Read(#[from] io::Error),
    #[error("a stored file is shorter than {expected} bytes")]
    Short { expected: u64 },
    #[error("the file was refused while it was on its way: {0}")]
    Refused(String),
    #[error("reading from the store: {0}")]
    Store(String),
}

/// A part of a body.
#[derive(Clone)]
pub(crate) enum Piece {
    Bytes(Bytes),
    File { file: Arc<File>, start: u64, end: u64 },
}

pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Piece, Broken>> + Send>>;

/// The body of a reply.
pub(crate) struct Body {
    source: Source,
    /// What is being read of a file, where the connection can't move files.
    reading: Option<Reading>,
    turn: Option<Turn>,
    tally: Option<Arc<Tally>>,
}

enum Source {
    Empty,
    One(Piece),
    Stream { pieces: Pieces, length: Option<u64> },
}

impl From<Source> for Body {
    fn from(source: Source) -> Self {
        Self { source, reading: None, turn: None, tally: None }
    }
}

impl From<Piece> for Body {
    fn from(piece: Piece) -> Self {
        if piece.length() == 0 { Self::empty() } else { Source::One(piece).into() }
    }
}

impl Body {
    pub(crate) fn empty() -> Self {
        Source::Empty.into()
    }

    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Piece::Bytes(bytes.into()).into()
    }

    /// Bytes `start..end` of `file`, which has them.
    pub(crate) fn file(file: Arc<File>, start: u64, end: u64) -> Self {
        Piece::File { file, start, end }.into()
    }

    /// A stream; its length, where known, is promised to the client.
    pub(crate) fn stream(pieces: Pieces, length: Option<u64>) -> Self {
        Source::Stream { pieces, length }.into()
    }

    /// Counts what leaves.
    pub(crate) fn counted(mut self, tally: Tally) -> Self {
        self.tally = Some(Arc::new(tally));
        self
    }

    /// Leaves in this turn of a connection.
    pub(crate) fn over(mut self, mut turn: Turn) -> Self {
        turn.made();
        self.turn = Some(turn);
        self
    }

    /// The length, where it is known before the first byte.
    pub(crate) fn length(&self) -> Option<u64> {
        match &self.source {
            Source::Empty => Some(0),
            Source::One(piece) => Some(piece.length()),
            Source::Stream { length, .. } => *length,
        }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Piece, Broken>>> {
        match std::mem::replace(&mut self.source, Source::Empty) {
            Source::Empty => Poll::Ready(None),
            Source::One(piece) => Poll::Ready(Some(Ok(piece))),
            Source::Stream { mut pieces, length } => {
                let piece = pieces.as_mut().poll_next(context);
                if !matches!(piece, Poll::Ready(None)) {
                    self.source = Source::Stream { pieces, length };
                }
                piece
            }
        }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Chunk, Broken>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                match ready!(reading.poll_read(self.turn.as_ref(), context)) {
                    Some(read) => return Poll::Ready(Some(read)),
                    None => self.reading = None,
                }
            }
            match ready!(self.poll_piece(context)) {
                None => return Poll::Ready(None),
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                Some(Ok(Piece::Bytes(bytes))) => return Poll::Ready(Some(Ok(Chunk::bytes(bytes)))),
                Some(Ok(Piece::File { file, start, end })) => match &self.turn {
                    Some(turn) if matches!(turn.way(), Way::Kernel) => {
                        return Poll::Ready(Some(Ok(turn.line().promise(file, start, end))));
                    }
                    _ => self.reading = Some(Reading { file, at: start, end, read: None }),
                },
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let is_whole = matches!(self.source, Source::Empty) && self.reading.is_none();
        if let Some(turn) = self.turn.as_mut().filter(|_| is_whole) {
            turn.end();
        }
    }
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { start, end, .. } => end - start,
        }
    }
}

impl http_body::Body for Body {
    type Data = Chunk;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, Broken>>> {
        if let Some(turn) = &mut self.turn {
            turn.wanted();
        }
        let chunk = ready!(self.poll_chunk(context));
        if let Some(turn) = &mut self.turn {
            turn.made();
        }
        Poll::Ready(chunk.map(|chunk| match (chunk, &self.tally) {
            (Ok(chunk), Some(tally)) => Ok(Frame::data(chunk.counted(Arc::clone(tally)))),
            (Ok(chunk), None) => Ok(Frame::data(chunk)),
            (Err(broken), tally) => {
                if let Some(tally) = tally {
                    tally.broke(&broken);
                }
                Err(broken)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Empty) && self.reading.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty if self.reading.is_none() => SizeHint::with_exact(0),
            Source::One(piece) => SizeHint::with_exact(piece.length()),
            _ => SizeHint::default(),
        }
    }
}

struct Reading {
    file: Arc<File>,
    at: u64,
    end: u64,
    read: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn poll_read(
        &mut self,
        turn: Option<&Turn>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Chunk, Broken>>> {
        if self.at >= self.end {
            return Poll::Ready(None);
        }
        let read = self.read.get_or_insert_with(|| {
            let place = turn.and_then(|turn| match turn.way() {
                Way::Memory(room) => room.take(),
                Way::Kernel => None,
            });
            let (file, at, end) = (Arc::clone(&self.file), self.at, self.end);
            tokio::task::spawn_blocking(move || read_piece(&file, at, end, place))
        });
        let bytes = ready!(Pin::new(read).poll(context));
        self.read = None;
        Poll::Ready(Some(match bytes.unwrap_or_else(|crash| Err(io::Error::other(crash))) {
            Ok(bytes) if bytes.is_empty() => Err(Broken::Short { expected: self.end }),
            Ok(bytes) => {
                self.at += bytes.len() as u64;
                Ok(Chunk::bytes(bytes))
            }
            Err(error) => Err(error.into()),
        }))
    }
}

/// Reads from `at` on as much as there is a place for. Blocks.
fn read_piece(file: &File, at: u64, end: u64, place: Option<Place>) -> io::Result<Bytes> {
    let left = usize::try_from(end - at).unwrap_or(usize::MAX);
    match place {
        Some(place) => place.fill(|buffer| {
            let wanted = left.min(buffer.len());
            read_into(file, at, &mut buffer[..wanted])
        }),
        None => read_at(file, at, left.min(SCANT_PIECE)),
    }
}

/// Reads up to `wanted` bytes at an offset; fewer only at the end of the file. Blocks.
pub(crate) fn read_at(file: &File, at: u64, wanted: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; wanted];
    let have = read_into(file, at, &mut piece)?;
    piece.truncate(have);
    Ok(piece.into())
}

fn read_into(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match file.read_at(&mut buffer[have..], at + have as u64) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Buf;
    use http_body_util::BodyExt;

    use super::*;
    use crate::wire::room::PIECE;

    fn file_of(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    #[tokio::test]
    async fn a_range_of_a_file_leaves_in_bounded_pieces() {
        let content: Vec<u8> = (0..3 * PIECE + 17).map(|i| (i % 251) as u8).collect();
        let (start, end) = (5, content.len() - 7);
        let mut body = Body::file(file_of(&content), start as u64, end as u64);
        let mut got = Vec::new();
        while let Some(frame) = body.frame().await {
            let chunk = frame.unwrap().into_data().unwrap();
            assert!(chunk.remaining() <= PIECE);
            got.extend_from_slice(chunk.chunk());
        }
        assert_eq!(got, &content[start..end]);
    }

    #[tokio::test]
    async fn a_file_shorter_than_promised_breaks_the_stream() {
        let body = Body::file(file_of(b"short"), 0, 100);
        let error = body.collect().await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "a stored file is shorter than 100 bytes");
    }
}
