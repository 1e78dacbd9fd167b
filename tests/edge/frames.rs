//! Frames of HTTP/2 (RFC 9113), as bytes: for what no library would send.

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA_FREE: u8 = 0;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut all = vec![length[1], length[2], length[3], kind, flags];
    all.extend(stream.to_be_bytes());
    all.extend_from_slice(payload);
    all
}

pub(crate) fn settings() -> Vec<u8> {
    frame(4, DATA_FREE, 0, &[])
}

pub(crate) fn settings_ack() -> Vec<u8> {
    frame(4, 1, 0, &[])
}

pub(crate) fn ping() -> Vec<u8> {
    frame(6, DATA_FREE, 0, b"floodfld")
}

pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(3, DATA_FREE, stream, &8_u32.to_be_bytes())
}

/// A GET, whole.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(1, END_STREAM | END_HEADERS, stream, &block(path))
}

/// The begin of a GET, to be continued.
pub(crate) fn begin(stream: u32, path: &str) -> Vec<u8> {
    frame(1, END_STREAM, stream, &block(path))
}

/// Some more headers, to be continued.
pub(crate) fn continuation(stream: u32) -> Vec<u8> {
    let mut field = vec![0, 1, b'x', 100];
    field.extend([b'y'; 100]);
    frame(9, DATA_FREE, stream, &field)
}

/// Method, scheme, path and authority in HPACK: indexed from the static table, and as plain text.
fn block(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend_from_slice(path.as_bytes());
    block.extend([0x01, 1, b'h']);
    block
}

/// Settings and an update that let the server send as much as can be said.
pub(crate) fn wide_settings() -> Vec<u8> {
    let window = (1_u32 << 31) - 1;
    let mut initial = 4_u16.to_be_bytes().to_vec();
    initial.extend(window.to_be_bytes());
    let update = frame(8, DATA_FREE, 0, &(window - 65_535).to_be_bytes());
    [frame(4, DATA_FREE, 0, &initial), update].concat()
}
