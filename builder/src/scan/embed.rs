//! The patterns of `//go:embed` comments, anywhere in a file.

use modkeep_module::quote;

use super::token::{Kind, Lexer, closing};
use super::{Embed, Position};

/// All patterns of the file, in its order (`go/build/read.go:parseGoEmbed`).
///
/// A malformed comment is passed over: the compiler reports it.
pub(super) fn patterns(text: &[u8]) -> Vec<Embed> {
    let mut embeds = Vec::new();
    if memchr::memmem::find(text, b"//go:embed").is_none() {
        return embeds;
    }
    let mut lexer = Lexer::new(text);
    loop {
        let token = lexer.token();
        match token.kind {
            Kind::End => return embeds,
            Kind::Comment => {
                let comment = String::from_utf8_lossy(&text[token.start..token.end]);
                if let Some(found) = comment_patterns(&comment, token.position) {
                    embeds.extend(found);
                }
            }
            _ => {}
        }
    }
}

fn comment_patterns(comment: &str, position: Position) -> Option<Vec<Embed>> {
    let arguments = comment.strip_prefix("//go:embed")?;
    if !arguments.is_empty() && !arguments.starts_with(char::is_whitespace) {
        return None;
    }
    let mut embeds = Vec::new();
    let mut rest = arguments.trim();
    let end = comment.trim_end().len();
    while !rest.is_empty() {
        let length = argument_length(rest)?;
        let (argument, after) = rest.split_at(length);
        let pattern = match argument.as_bytes()[0] {
            b'`' => argument[1..length - 1].to_owned(),
            b'"' => String::from_utf8_lossy(&quote::unquote(argument.as_bytes())?).into_owned(),
            _ => argument.to_owned(),
        };
        let offset = u32::try_from(end - rest.len()).unwrap_or(u32::MAX);
        embeds.push(Embed { pattern, position: Position { column: position.column + offset, ..position } });
        rest = after.trim_start();
    }
    Some(embeds)
}

/// How long the first argument is; `None` for a quoted one that isn't closed, or that more text follows at once.
fn argument_length(rest: &str) -> Option<usize> {
    let length = match rest.as_bytes()[0] {
        b'`' => rest[1..].find('`')? + 2,
        b'"' => closing(rest.as_bytes(), b'"')?,
        _ => return Some(rest.find(char::is_whitespace).unwrap_or(rest.len())),
    };
    let after = rest.get(length..)?;
    (after.is_empty() || after.starts_with(char::is_whitespace)).then_some(length)
}
