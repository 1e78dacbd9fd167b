//! The commands that change files and the script's own state.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use modkeep_module::quote::unquote;

use super::End;
use super::compare::{compare, search};
use super::state::State;

/// Runs a command that starts no program.
pub(super) fn run(state: &mut State, command: &str, words: &[String]) -> Result<(), End> {
    match (command, words) {
        ("stdout" | "stderr" | "grep", _) => search(state, command, words),
        ("cmp", _) => compare(state, words, false),
        ("cmpenv", _) => compare(state, words, true),
        ("cat", names) => {
            let mut text = String::new();
            for name in names {
                text.push_str(&super::compare::read(state, name)?);
            }
            (state.stdout, state.stderr) = (text, String::new());
            Ok(())
        }
        ("cd", [folder]) => {
            let folder = state.path(folder);
            match folder.is_dir() {
                true => state.enter(folder),
                false => return Err(End::Failed(format!("{} is not a directory", folder.display()))),
            }
            Ok(())
        }
        ("chmod", [mode, names @ ..]) => chmod(state, mode, names),
        ("cp", [names @ .., target]) => copy(state, names, target),
        ("echo", words) => {
            (state.stdout, state.stderr) = (words.join(" ") + "\n", String::new());
            Ok(())
        }
        ("env", words) => {
            env(state, words);
            Ok(())
        }
        ("exists", words) => exists(state, words),
        ("mkdir", names) => {
            names.iter().try_for_each(|name| fs::create_dir_all(state.path(name)).map_err(End::io(name)))
        }
        ("mv", [from, to]) => rename(&state.path(from), &state.path(to)).map_err(End::io(from)),
        ("replace", [pairs @ .., file]) => replace(state, pairs, file),
        ("rm", names) => names.iter().try_for_each(|name| remove(&state.path(name)).map_err(End::io(name))),
        ("skip", words) => Err(End::Skipped(words.join(" "))),
        ("sleep", [time]) => {
            std::thread::sleep(duration(time).ok_or_else(|| End::Failed(format!("bad duration {time}")))?);
            Ok(())
        }
        ("stop", _) => Err(End::Stopped),
        ("symlink", [name, _, target]) => symlink(target, state.path(name)).map_err(End::io(name)),
        _ => Err(End::Failed(format!("unknown command or usage: {command} {words:?}"))),
    }
}

fn chmod(state: &State, mode: &str, names: &[String]) -> Result<(), End> {
    let bits = u32::from_str_radix(mode.trim_start_matches("0o"), 8);
    let bits = bits.map_err(|error| End::Failed(format!("invalid mode {mode}: {error}")))?;
    names.iter().try_for_each(|name| {
        fs::set_permissions(state.path(name), Permissions::from_mode(bits)).map_err(End::io(name))
    })
}

fn copy(state: &State, names: &[String], target: &str) -> Result<(), End> {
    let target = state.path(target);
    for name in names {
        let source = state.path(name);
        let is_output = matches!(name.as_str(), "stdout" | "stderr");
        let to = match (target.is_dir(), source.file_name()) {
            (true, Some(base)) => target.join(base),
            _ => target.clone(),
        };
        let bytes = match name.as_str() {
            "stdout" => state.stdout.clone().into_bytes(),
            "stderr" => state.stderr.clone().into_bytes(),
            _ => fs::read(&source).map_err(End::io(name))?,
        };
        let is_new = !to.exists();
        write(&to, &bytes).map_err(End::io(name))?;
        if is_new && !is_output {
            let mode = fs::metadata(&source).map_err(End::io(name))?.permissions().mode() & 0o777;
            fs::set_permissions(&to, Permissions::from_mode(mode)).map_err(End::io(name))?;
        }
    }
    Ok(())
}

fn env(state: &mut State, words: &[String]) {
    let mut shown = String::new();
    if words.is_empty() {
        shown = state.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    }
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => state.set(name, value),
            None => shown.push_str(&format!("{word}={}\n", state.get(word))),
        }
    }
    if !shown.is_empty() {
        (state.stdout, state.stderr) = (shown, String::new());
    }
}

fn exists(state: &State, words: &[String]) -> Result<(), End> {
    let is_flag = |word: &&String| matches!(word.as_str(), "-readonly" | "-exec");
    let flags: Vec<_> = words.iter().take_while(is_flag).collect();
    let has = |flag: &str| flags.iter().any(|word| *word == flag);
    for name in &words[flags.len()..] {
        let mode = fs::metadata(state.path(name)).map_err(End::io(name))?.permissions().mode();
        if has("-readonly") && mode & 0o222 != 0 {
            return Err(End::Failed(format!("{name} exists but is writable")));
        }
        if has("-exec") && mode & 0o111 == 0 {
            return Err(End::Failed(format!("{name} exists but is not executable")));
        }
    }
    Ok(())
}

fn replace(state: &State, pairs: &[String], name: &str) -> Result<(), End> {
    let unquoted = |word: &String| {
        let bytes = unquote(format!("\"{word}\"").as_bytes());
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| End::Failed(format!("bad {word}")))
    };
    let pairs: Vec<String> = pairs.iter().map(unquoted).collect::<Result<_, _>>()?;
    let pairs: Vec<_> = pairs.chunks_exact(2).collect();
    let file = state.path(name);
    let text = fs::read_to_string(&file).map_err(End::io(name))?;
    // At each place the first pair that fits counts, and what was put in is not looked at again.
    let mut replaced = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        match pairs.iter().find(|pair| rest.starts_with(&pair[0])) {
            Some(pair) if !pair[0].is_empty() => {
                replaced.push_str(&pair[1]);
                rest = &rest[pair[0].len()..];
            }
            _ => {
                replaced.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    write(&file, replaced.as_bytes()).map_err(End::io(name))
}

/// Removes a file or a tree, read-only folders too; what isn't there is removed already.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => {
            fs::set_permissions(path, Permissions::from_mode(0o777))?;
            for entry in fs::read_dir(path)? {
                remove(&entry?.path())?;
            }
            fs::remove_dir(path)
        }
        Ok(_) => fs::remove_file(path),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    #[allow(clippy::disallowed_methods, reason = "files of a script need not outlive it")]
    fs::write(path, bytes)
}

fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    #[allow(clippy::disallowed_methods, reason = "files of a script need not outlive it")]
    fs::rename(from, to)
}

/// A duration as Go writes it, with one unit.
fn duration(text: &str) -> Option<Duration> {
    let number = |text: &str| text.parse::<u64>().ok();
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(text), _) => number(text).map(Duration::from_millis),
        (None, Some(text)) => number(text).map(Duration::from_secs),
        (None, None) => None,
    }
}
