//! A line of a script, taken apart: conditions, what is expected, a command and its words.

/// What the script expects of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Want {
    #[default]
    Success,
    /// `!`
    Failure,
    /// `?`
    Either,
}

/// A piece of a word; variables are expanded only outside quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

/// A command with what stands around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Each holds if it is as the flag says.
    pub(super) conditions: Vec<(bool, String)>,
    pub(super) want: Want,
    pub(super) command: String,
    pub(super) words: Vec<Vec<Fragment>>,
    /// The line ends in `&`.
    pub(super) is_background: bool,
}

/// The words of a line, or nothing where there are none. (`engine.go:parse`)
pub(super) fn parse(text: &str) -> Result<Option<Line>, String> {
    let mut words = split(text)?.into_iter();
    let mut line = Line::default();
    for word in words.by_ref() {
        let [Fragment { text, is_quoted: false }] = &word[..] else {
            line.words.push(word);
            continue;
        };
        match text.as_str() {
            "!" | "?" if line.want != Want::Success => return Err("duplicated '!' or '?' token".into()),
            "!" => line.want = Want::Failure,
            "?" => line.want = Want::Either,
            tag if tag.starts_with('[') && tag.ends_with(']') => {
                let tag = tag[1..tag.len() - 1].trim();
                let (wanted, tag) = tag.strip_prefix('!').map_or((true, tag), |tag| (false, tag.trim()));
                line.conditions.push((wanted, tag.to_owned()));
            }
            command => {
                command.clone_into(&mut line.command);
                break;
            }
        }
    }
    if line.command.is_empty() {
        let is_blank = line.want == Want::Success && line.conditions.is_empty() && line.words.is_empty();
        return if is_blank { Ok(None) } else { Err("missing command".into()) };
    }
    line.words.extend(words);
    if line.words.last().is_some_and(|word| *word == [Fragment { text: "&".into(), is_quoted: false }]) {
        line.words.pop();
        line.is_background = true;
    }
    Ok(Some(line))
}

/// Splits at blanks; a `#` outside quotes ends the line, and two quotes inside quotes are one.
fn split(text: &str) -> Result<Vec<Vec<Fragment>>, String> {
    let mut words = Vec::new();
    let mut word: Vec<Fragment> = Vec::new();
    let mut piece: Option<String> = None;
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    loop {
        let next = chars.next();
        match next {
            None if is_quoted => return Err("unterminated quoted argument".into()),
            None | Some(' ' | '\t' | '\r' | '\n' | '#') if !is_quoted => {
                word.extend(piece.take().map(|text| Fragment { text, is_quoted }));
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if matches!(next, None | Some('#')) {
                    return Ok(words);
                }
            }
            Some('\'') if !is_quoted => {
                word.extend(piece.replace(String::new()).map(|text| Fragment { text, is_quoted }));
                is_quoted = true;
            }
            Some('\'') if chars.next_if_eq(&'\'').is_some() => {
                piece.get_or_insert_default().push('\'');
            }
            Some('\'') => {
                word.extend(piece.take().map(|text| Fragment { text, is_quoted }));
                is_quoted = false;
            }
            Some(c) => piece.get_or_insert_default().push(c),
            None => unreachable!("both kinds of end are matched above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, command: &str, words: &[&str]) {
        let line = parse(text).unwrap().unwrap();
        let joined = |word: &Vec<Fragment>| word.iter().map(|piece| piece.text.as_str()).collect::<String>();
        assert_eq!(line.command, command, "{text}");
        assert_eq!(line.words.iter().map(joined).collect::<Vec<_>>(), words, "{text}");
    }

    #[test]
    fn quotes_keep_blanks_and_a_hash_ends_the_line() {
        check("go list -f '{{.A}} it''s' x'y z'#c", "go", &["list", "-f", "{{.A}} it's", "xy z"]);
        check("stdout ''", "stdout", &[""]);
        check("[short] [!exec:git] ! go mod tidy &", "go", &["mod", "tidy"]);
        let line = parse("[!short] ? exec a &").unwrap().unwrap();
        assert_eq!((line.want, line.is_background), (Want::Either, true));
        assert!(parse("  # c").unwrap().is_none());
        assert!(parse("[short]").is_err() && parse("x 'a").is_err() && parse("! ! x").is_err());
    }
}
