//! An HTTP/1.1 client that sends exactly the bytes it is given, for requests that no proper client would make.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// Names in lower case, with their values, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent; chunks are not put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, with what isn't UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Splits `http://HOST:PORT/BASE` into the address to dial and the path.
///
/// # Panics
/// When the URL is of another form or the host has no address.
pub fn split(url: &str) -> (SocketAddr, &str) {
    use std::net::ToSocketAddrs;
    let rest = url.strip_prefix("http://").expect("the URL is plain http");
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let address = host.to_socket_addrs().ok().and_then(|mut found| found.next());
    (address.expect("the URL has a host and a port"), path)
}

/// Gets one URL on a connection of its own.
///
/// # Errors
/// When the connection breaks, or what comes isn't HTTP.
pub fn get(url: &str) -> io::Result<Answer> {
    let (address, path) = split(url);
    raw(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
}

/// Sends `request` as it is and reads what comes until the server closes the connection.
///
/// # Errors
/// When the connection breaks, or what comes isn't HTTP.
pub fn raw(address: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // A server may answer and close before it has read everything; what it said still counts.
    let sent = stream.write_all(request);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    match parse(&answer) {
        Some(answer) => Ok(answer),
        None => Err(sent.err().or(read.err()).unwrap_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, String::from_utf8_lossy(&answer).into_owned())
        })),
    }
}

/// One connection, for one request after the other.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    base: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to the server of a URL, below whose path requests are made.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(url: &str) -> io::Result<Self> {
        let (address, base) = split(url);
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { address, base: base.to_owned(), stream: BufReader::new(stream) })
    }

    /// Gets a path, `/` first, from a server that announces the length of what it sends.
    ///
    /// # Errors
    /// When the connection breaks, or what comes isn't HTTP with a length.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        let request = format!("GET {}{path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.base, self.address);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let wrong =
            || io::Error::new(io::ErrorKind::InvalidData, String::from_utf8_lossy(&head).into_owned());
        let mut answer = parse(&head).ok_or_else(wrong)?;
        let length =
            answer.header("content-length").and_then(|length| length.parse().ok()).ok_or_else(wrong)?;
        answer.body = vec![0; length];
        self.stream.read_exact(&mut answer.body)?;
        Ok(answer)
    }
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Some(Answer { status, headers: lines.filter_map(header).collect(), body: answer[end + 4..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_status_headers_and_body() {
        let answer = parse(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno\n").unwrap();
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.text().as_str()),
            (404, Some("text/plain"), "no\n")
        );
        assert_eq!(parse(b"SSH-2.0\r\n"), None);
    }
}
