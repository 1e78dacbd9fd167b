//! What a build tells while it runs, in go's words: commands under `-n` and `-x`, what tools say, names under `-v`.
//!
//! Source: `cmd/go/internal/work:shell.go`.

use std::path::Path;

use modkeep_module::file_path;
use parking_lot::Mutex;

/// One thing that is told, with the package that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What messages call the package; empty for none.
    pub package: &'a str,
    /// The text, with the newlines that it needs.
    pub text: &'a str,
    /// Whether it says why something failed.
    pub is_failure: bool,
}

/// Tells what happens, one thing after the other.
pub struct Transcript {
    teller: Box<dyn Fn(Told<'_>) + Send + Sync>,
    work: String,
    folder: String,
    /// The folder that a reader of the script is in.
    script_folder: Mutex<String>,
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript").field("work", &self.work).finish_non_exhaustive()
    }
}

/// Output of a command, as it is shown: `# package`, and then the lines with short paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report(String);

impl Transcript {
    /// A transcript; `work` is the folder that is called `$WORK`, `folder` the current one.
    pub fn new(teller: Box<dyn Fn(Told<'_>) + Send + Sync>, work: &str, folder: &str) -> Self {
        let script_folder = Mutex::default();
        Self { teller, work: work.to_owned(), folder: folder.to_owned(), script_folder }
    }

    /// Tells a text about a package.
    pub(crate) fn tell(&self, package: &str, text: &str) {
        let _one_at_a_time = self.script_folder.lock();
        (self.teller)(Told { package, text, is_failure: false });
    }

    /// Tells why something failed.
    pub(crate) fn fail(&self, package: &str, text: &str) {
        let _one_at_a_time = self.script_folder.lock();
        let text =
            if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        (self.teller)(Told { package, text: &text, is_failure: true });
    }

    /// Shows a command that is run in a folder; an empty one is any (`ShowCmd`).
    pub(crate) fn show(&self, package: &str, folder: &str, command: &str) {
        let mut script_folder = self.script_folder.lock();
        let mut command = self.with_work(command);
        if !folder.is_empty() && folder != "/" {
            if folder != *script_folder {
                let text = self.with_work(&format!("cd {folder}\n"));
                (self.teller)(Told { package, text: &text, is_failure: false });
                folder.clone_into(&mut script_folder);
            }
            let dot = if folder.ends_with('/') { " ./" } else { " ." };
            let replaced = format!(" {command}").replace(&format!(" {folder}"), dot);
            command = replaced[1..].to_owned();
        }
        (self.teller)(Told { package, text: &format!("{command}\n"), is_failure: false });
    }

    /// The command with `$WORK` for the work folder.
    pub(crate) fn with_work(&self, command: &str) -> String {
        if self.work.is_empty() || command.starts_with("cat ") {
            return command.to_owned();
        }
        command.replace(&self.work, "$WORK")
    }

    /// The output of a command about a package, with short paths (`reportCmd`).
    ///
    /// `description` is what heads it; `folder` is where the command ran or the package is.
    pub(crate) fn report(
        &self,
        import_path: &str,
        description: &str,
        heading: &str,
        folder: &str,
        output: &[u8],
    ) -> Report {
        let mut text = String::from_utf8_lossy(output).into_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text = replace_prefix(&text, &self.work, "$WORK");
        let mut above = Some(folder);
        while let Some(folder) = above {
            let short = self.short(folder);
            if short != folder {
                text = replace_prefix(&text, folder, &short);
            }
            above = file_path::parent(folder);
        }
        let head = if heading == description || import_path.is_empty() {
            format!("# {heading}\n")
        } else {
            format!("# {import_path}\n# [{heading}]\n")
        };
        Report(head + &text)
    }

    /// A path relative to the current folder if that is shorter (`base.ShortPath`).
    pub(crate) fn short(&self, path: &str) -> String {
        match file_path::relative(&self.folder, path) {
            Some(relative) if relative.len() < path.len() && is_same(&self.folder, &relative, path) => {
                relative
            }
            _ => path.to_owned(),
        }
    }
}

impl Report {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a relative path leads where the absolute one does, in spite of links.
fn is_same(folder: &str, relative: &str, path: &str) -> bool {
    let real = |path: &str| std::fs::canonicalize(Path::new(path)).ok();
    match (real(&format!("{folder}/{relative}")), real(path)) {
        (Some(a), Some(b)) => a == b,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Replaces what stands behind a blank or at the beginning of a line (`replacePrefix`).
fn replace_prefix(text: &str, old: &str, new: &str) -> String {
    if old.is_empty() || !text.contains(old) {
        return text.to_owned();
    }
    let text = text.replace(&format!(" {old}"), &format!(" {new}"));
    let text = text.replace(&format!("\n{old}"), &format!("\n{new}"));
    let text = text.replace(&format!("\n\t{old}"), &format!("\n\t{new}"));
    match text.strip_prefix(old) {
        Some(rest) => format!("{new}{rest}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn transcript() -> (Transcript, Arc<Mutex<String>>) {
        let told = Arc::new(Mutex::new(String::new()));
        let copy = Arc::clone(&told);
        let teller = Box::new(move |one: Told<'_>| copy.lock().push_str(one.text));
        (Transcript::new(teller, "/tmp/go-build1", "/home/u/m"), told)
    }

    #[test]
    fn a_script_changes_folders_once() {
        let (transcript, told) = transcript();
        transcript.show("p", "/src/p", "/go/asm -I /tmp/go-build1/b001/ /src/p/x.s");
        transcript.show("p", "/src/p", "cat >/tmp/go-build1/x /src/p");
        transcript.show("p", "", "mkdir -p /tmp/go-build1/b002/");
        assert_eq!(
            *told.lock(),
            "cd /src/p\n/go/asm -I $WORK/b001/ ./x.s\ncat >/tmp/go-build1/x .\nmkdir -p $WORK/b002/\n"
        );
    }

    #[test]
    fn reports_shorten_paths() {
        let (transcript, _) = transcript();
        let report = |output: &str| {
            let report = transcript.report("m/p", "m/p", "m/p", "/home/u/m/p", output.as_bytes());
            report.as_str().to_owned()
        };
        assert_eq!(report("/home/u/m/p/x.go:1:2: no"), "# m/p\np/x.go:1:2: no\n");
        assert_eq!(report("in /tmp/go-build1/b001/y\n"), "# m/p\nin $WORK/b001/y\n");
        let other = transcript.report("m/p", "m/p", "gcc", "/", b"x");
        assert_eq!(other.as_str(), "# m/p\n# [gcc]\nx\n");
    }
}
