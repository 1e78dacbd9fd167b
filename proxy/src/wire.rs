//! The socket of a connection, and how parts of files get into it without passing through this program.
//!
//! hyper writes slices of memory. So that a part of a file can stand among them, its place is held by slices of a window
//! of zeros, and the file waits in a queue beside ([`line::Line`]). When a slice to be written lies in the window, the
//! kernel moves as many bytes from the file at the head of the queue to the socket (`sendfile`); what comes before it
//! is sent with the hint that more follows. The queue and hyper's list of slices are filled and emptied in the same
//! order, so the first window slice always belongs to the first file.
//!
//! A client that takes too long, for its request or for taking its reply, loses its connection, and so does one that
//! sends much and asks for nothing.

pub(crate) mod line;
pub(crate) mod opening;
pub(crate) mod pace;
pub(crate) mod room;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::access::Tally;
use crate::wire::line::Line;
use crate::wire::opening::Opening;
use crate::wire::pace::{Pace, Wait, Watch};

/// Bytes that one call moves from a file at most.
const WINDOW: usize = 1 << 20;
/// Bytes that a client may send without a further request: settings, pings, resets, pieces of a head.
const CHATTER: u64 = 1 << 20;
/// It may send a byte more for so many that it took: its leave to be sent more.
const TAKEN_PER_CHATTER: u64 = 16;
/// How long the client's end is waited for once all was sent.
const LINGER: Duration = Duration::from_secs(2);
/// Never read, so it costs address space and no memory.
static PLACEHOLDER: [u8; WINDOW] = [0; WINDOW];

/// Bytes of a body on their way to the socket, or the place of a part of a file.
#[derive(Debug)]
pub(crate) struct Chunk {
    content: Content,
    tally: Option<Arc<Tally>>,
}

#[derive(Debug)]
enum Content {
    Bytes(Bytes),
    File { left: usize },
}

impl Chunk {
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self { content: Content::Bytes(bytes), tally: None }
    }

    /// The place of a part of a file that is `left` bytes long.
    fn of_file(left: usize) -> Self {
        Self { content: Content::File { left }, tally: None }
    }

    /// Counts what leaves of this chunk.
    pub(crate) fn counted(self, tally: Arc<Tally>) -> Self {
        Self { tally: Some(tally), ..self }
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes) => bytes.len(),
            Content::File { left } => *left,
        }
    }

    fn chunk(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::File { left } => &PLACEHOLDER[..WINDOW.min(*left)],
        }
    }

    fn advance(&mut self, count: usize) {
        match &mut self.content {
            Content::Bytes(bytes) => bytes.advance(count),
            Content::File { left } => *left -= count,
        }
        if let Some(tally) = &self.tally {
            tally.add(count as u64);
        }
    }
}

/// A TCP connection that knows the window.
pub(crate) struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
    /// What was read before it was known which protocol is spoken.
    opening: Opening,
    /// Over the client's requests.
    asking: Watch,
    /// Over its taking of replies.
    taking: Watch,
    /// The number of requests when the last byte was read: a byte belongs to a head until there is one more.
    read_at: Option<u64>,
    /// Bytes read since then.
    chatter: u64,
    /// Bytes written.
    taken: u64,
    /// Since our end is said: until when the client's is waited for, and how many bytes may come before it.
    linger: Option<(Pin<Box<Sleep>>, u64)>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, line: Arc<Line>, pace: Pace, opening: Opening) -> Self {
        let (asking, taking) = (Watch::new(pace), Watch::new(pace));
        Self { stream, line, opening, asking, taking, read_at: None, chatter: 0, taken: 0, linger: None }
    }

    /// Writes without waiting what it can of `slices`.
    fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let place = slices.iter().position(|slice| is_placeholder(slice));
        match place {
            Some(0) => self.send_file(slices[0].len()),
            Some(place) => self.send(&slices[..place], SendFlags::NOSIGNAL | SendFlags::MORE),
            None => self.send(slices, SendFlags::NOSIGNAL),
        }
    }

    fn send(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> io::Result<usize> {
        Ok(sendmsg(&self.stream, slices, &mut SendAncillaryBuffer::default(), flags)?)
    }

    fn send_file(&self, wanted: usize) -> io::Result<usize> {
        let mut files = self.line.files();
        let part = files.front_mut().ok_or_else(|| io::Error::other("a placeholder without its file"))?;
        let wanted = wanted.min(usize::try_from(part.end - part.at).unwrap_or(usize::MAX));
        let mut at = part.at;
        let sent = rustix::fs::sendfile(&self.stream, &part.file, Some(&mut at), wanted)?;
        if sent == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a stored file is shorter than promised",
            ));
        }
        part.at += sent as u64;
        if part.at == part.end {
            files.pop_front();
        }
        Ok(sent)
    }

    fn poll_written(&mut self, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            if self.stream.poll_write_ready(context)?.is_pending() {
                self.line.block();
                self.taking.wait_for(Wait::Reply);
                self.taking.check(context)?;
                return Poll::Pending;
            }
            match self.stream.try_io(Interest::WRITABLE, || self.write_now(slices)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => {
                    self.line.unblock();
                    self.taking.rest();
                    self.taken += *written.as_ref().unwrap_or(&0) as u64;
                    return Poll::Ready(written);
                }
            }
        }
    }

    /// Whether a part of a head was read and its end was not.
    fn is_in_head(&self) -> bool {
        self.read_at == Some(self.line.requests())
    }

    /// Nothing can be read: is the client late with a request?
    fn check_request(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.line.is_busy() || (self.line.is_multiplexed() && self.line.requests() > 0) {
            self.asking.rest();
            return Ok(());
        }
        self.asking.wait_for(if self.is_in_head() { Wait::Head } else { Wait::Request });
        self.asking.check(context)
    }

    /// Something was read.
    fn note_request(&mut self, bytes: usize) -> io::Result<()> {
        if !self.is_in_head() {
            self.asking.rest();
            self.asking.wait_for(Wait::Head);
            self.read_at = Some(self.line.requests());
            self.chatter = 0;
        }
        self.chatter += bytes as u64;
        if !self.line.is_multiplexed() || self.chatter <= self.allowed_chatter() {
            return Ok(());
        }
        Err(io::Error::other("the client sends much and asks for nothing"))
    }

    fn allowed_chatter(&self) -> u64 {
        CHATTER + self.taken / TAKEN_PER_CHATTER + self.line.expected()
    }
}

fn is_placeholder(slice: &[u8]) -> bool {
    PLACEHOLDER.as_ptr_range().contains(&slice.as_ptr())
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match self.opening.read(buffer) {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.stream).poll_read(context, buffer),
        };
        match &read {
            Poll::Pending => self.check_request(context)?,
            Poll::Ready(Ok(())) => match buffer.filled().len() - before {
                0 => {}
                bytes => self.note_request(bytes)?,
            },
            Poll::Ready(Err(_)) => {}
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says our end, then reads away what the client still sends until it says its own: a socket that is closed with
    /// bytes unread is reset, and a reset takes from the client what it has not read yet.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, linger, .. } = self.get_mut();
        if linger.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let (end, left) = linger.get_or_insert_with(|| (Box::pin(tokio::time::sleep(LINGER)), CHATTER));
        let mut waste = [0; 4096];
        while *left > 0 {
            let mut buffer = ReadBuf::new(&mut waste);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len() as u64);
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return end.as_mut().poll(context).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const PACE: Pace =
        Pace { idle: Duration::from_secs(60), head: Duration::from_secs(60), stall: Duration::from_secs(60) };

    fn file_of(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    /// Writes chunks as hyper does: all that are left, as slices, until nothing is left.
    async fn write_all(wire: &mut Wire, chunks: &mut [Chunk]) -> io::Result<()> {
        let mut first = 0;
        while first < chunks.len() {
            let slices: Vec<_> = chunks[first..].iter().map(|chunk| IoSlice::new(chunk.chunk())).collect();
            let mut written = wire.write_vectored(&slices).await?;
            while first < chunks.len() && written >= chunks[first].remaining() {
                written -= chunks[first].remaining();
                let all = chunks[first].remaining();
                chunks[first].advance(all);
                first += 1;
            }
            if written > 0 {
                chunks[first].advance(written);
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn heads_and_parts_of_files_arrive_in_order() {
        let (mut client, server) = pair().await;
        let content: Vec<u8> = (0..5 * WINDOW + 321).map(|i| (i % 249) as u8).collect();
        let (one, two) = (file_of(&content), file_of(b"the second file"));
        let line = Arc::new(Line::new());
        let end = content.len() as u64 - 1;
        let mut chunks = vec![
            Chunk::bytes(Bytes::from_static(b"head one\n")),
            line.promise(one, 3, end),
            Chunk::bytes(Bytes::from_static(b"\nhead two\n")),
            line.promise(two, 4, 10),
        ];
        let expected = [b"head one\n", &content[3..content.len() - 1], b"\nhead two\n", b"second"].concat();
        let writer = tokio::spawn(async move {
            let mut wire = Wire::new(server, line, PACE, Opening::default());
            write_all(&mut wire, &mut chunks).await.unwrap();
        });
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        writer.await.unwrap();
        assert!(got == expected, "{} bytes of {}", got.len(), expected.len());
    }

    #[tokio::test]
    async fn a_file_shorter_than_promised_ends_the_connection() {
        let (_client, server) = pair().await;
        let line = Arc::new(Line::new());
        let mut chunks = [line.promise(file_of(b"abc"), 0, 9)];
        let mut wire = Wire::new(server, line, PACE, Opening::default());
        let error = write_all(&mut wire, &mut chunks).await.unwrap_err();
        assert_eq!(error.to_string(), "a stored file is shorter than promised");
    }

    #[tokio::test]
    async fn what_was_sent_arrives_even_if_the_client_has_not_stopped_sending() {
        let (mut client, server) = pair().await;
        client.write_all(&[1; 5000]).await.unwrap();
        let line = Arc::new(Line::new());
        let ended = tokio::spawn(async move {
            let mut wire = Wire::new(server, line, PACE, Opening::default());
            wire.write_all(&[7; 100_000]).await.unwrap();
            wire.shutdown().await.unwrap();
        });
        client.write_all(&[1; 5000]).await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), 100_000);
        drop(client);
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_loses_its_connection() {
        let (_client, server) = pair().await;
        let line = Arc::new(Line::new());
        let pace = Pace { stall: Duration::from_millis(20), ..PACE };
        let mut wire = Wire::new(server, line, pace, Opening::default());
        let error = loop {
            if let Err(error) = wire.write_all(&[7; 1 << 16]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
