//! A module proxy that is a tree of files, such as `GOMODCACHE/cache/download`.
//!
//! Answers as the go command does for `file://` (`cmd/go/internal/web/http.go:getFile`): a missing file is 404,
//! one that may not be read 403.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::answer::{Answer, BodyStream};
use crate::error::{FetchError, Flaw, Silence};
use crate::kind::Kind;

/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// Reads the file at `path` (escaped, with a leading slash) below `root`.
pub(crate) async fn get(root: &Path, path: &str, kind: Kind) -> Result<Answer, FetchError> {
    let name = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
    let file = root.join(&*name);
    let url = format!("file://{}", file.display());
    let opened = async {
        let file = File::open(&file).await?;
        let facts = file.metadata().await?;
        if facts.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok((file, facts.len())) }
    };
    let (file, length) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return Err(not_content(url, error)),
    };
    if length > kind.limit() {
        return Err(FetchError::Broken { url, source: Flaw::TooLarge(kind.limit()) });
    }
    let body = read(url.clone(), file, length);
    Ok(Answer { url, length: Some(length), content_type: None, body })
}

fn not_content(url: String, error: std::io::Error) -> FetchError {
    let text = String::new();
    match error.kind() {
        ErrorKind::NotFound => FetchError::Absent { url, status: 404, text },
        ErrorKind::PermissionDenied => FetchError::Refused { url, status: 403, text },
        _ => FetchError::Unreachable { url, source: Silence::Unreadable(Arc::new(error)) },
    }
}

fn read(url: String, file: File, length: u64) -> BodyStream {
    let step = move |(url, mut file, left): (String, File, u64)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let mut chunk = BytesMut::with_capacity(most);
        let mut piece = (&mut file).take(most as u64);
        match piece.read_buf(&mut chunk).await {
            Ok(0) => Err(FetchError::Broken {
                url,
                source: Flaw::Length { announced: length, received: length - left },
            }),
            Ok(read) => Ok(Some((Bytes::from(chunk), (url, file, left - read as u64)))),
            Err(error) => Err(FetchError::Broken { url, source: Flaw::Unreadable(Arc::new(error)) }),
        }
    };
    stream::try_unfold((url, file, length), step).into_stream().boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(root: &Path, path: &str, kind: Kind) -> String {
        match get(root, path, kind).await {
            Ok(answer) => {
                let length = answer.length;
                format!("{length:?} {:?}", answer.bytes().await.unwrap())
            }
            Err(error) => error.chain().replace(&root.display().to_string(), "ROOT"),
        }
    }

    #[tokio::test]
    async fn a_tree_of_files_answers_as_for_the_go_command() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("github.com/!azure/x/@v");
        std::fs::create_dir_all(&folder).unwrap();
        let mut list = std::fs::File::create(folder.join("list")).unwrap();
        std::io::Write::write_all(&mut list, b"v1.0.0\n").unwrap();
        let large = std::fs::File::create(folder.join("v1.0.0.info")).unwrap();
        large.set_len(Kind::Info.limit() + 1).unwrap();
        std::fs::File::create(folder.join("v1.0.0.mod")).unwrap();

        for (path, kind, expected) in [
            ("/github.com/%21azure/x/@v/list", Kind::List, "Some(7) b\"v1.0.0\\n\""),
            ("/github.com/%21azure/x/@v/v1.0.0.mod", Kind::Mod, "Some(0) b\"\""),
            (
                "/github.com/%21azure/x/@latest",
                Kind::Latest,
                "reading file://ROOT/github.com/!azure/x/@latest: 404",
            ),
            (
                "/github.com/%21azure/x/@v",
                Kind::List,
                "reading file://ROOT/github.com/!azure/x/@v: unreadable: is a directory",
            ),
            (
                "/github.com/%21azure/x/@v/v1.0.0.info",
                Kind::Info,
                "reading file://ROOT/github.com/!azure/x/@v/v1.0.0.info: larger than 1048576 bytes",
            ),
        ] {
            assert_eq!(ask(root.path(), path, kind).await, expected, "{path}");
        }
    }
}
