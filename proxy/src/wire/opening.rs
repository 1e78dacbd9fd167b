//! The first bytes of a connection in plain text, which tell HTTP/2 with prior knowledge from HTTP/1.1 (RFC 9113 §3.3).

use std::io;
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wire::pace::Pace;

/// What a client that speaks HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes that were read before the protocol was known.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    bytes: [u8; PREFACE.len()],
    start: usize,
    end: usize,
}

impl Opening {
    /// Reads until it is known whether the client speaks HTTP/2; an end of the stream is found again by whoever reads on.
    pub(crate) async fn of(stream: &TcpStream, pace: Pace) -> io::Result<Self> {
        let mut opening = Self::default();
        let mut patience = pace.idle;
        while opening.is_undecided() {
            match opening.more(stream, patience).await? {
                0 => break,
                bytes => opening.end += bytes,
            }
            patience = pace.head;
        }
        Ok(opening)
    }

    async fn more(&mut self, stream: &TcpStream, patience: Duration) -> io::Result<usize> {
        loop {
            // Most clients have said something by now, and cost no timer.
            match stream.try_read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            timeout(patience, stream.readable()).await??;
        }
    }

    fn is_undecided(&self) -> bool {
        self.end < PREFACE.len() && PREFACE.starts_with(&self.bytes[..self.end])
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.end == PREFACE.len() && self.bytes == *PREFACE
    }

    /// Gives what is left of it; says whether there was anything.
    pub(super) fn read(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let left = &self.bytes[self.start..self.end];
        let given = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..given]);
        self.start += given;
        given > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &[u8], undecided: bool, http2: bool) {
        let mut opening = Opening { end: said.len(), ..Opening::default() };
        opening.bytes[..said.len()].copy_from_slice(said);
        assert_eq!((opening.is_undecided(), opening.is_http2()), (undecided, http2), "{said:?}");
    }

    #[test]
    fn the_first_byte_that_differs_decides() {
        check(b"", true, false);
        check(b"P", true, false);
        check(b"POST", false, false);
        check(b"GET / HTTP/1.1\r\n", false, false);
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n", true, false);
        check(PREFACE, false, true);
        check(b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n", false, false);
        check(b"\x16\x03\x01", false, false);
    }
}
