//! What a module proxy serves: files by path, made by hand, from modules, or from a folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Files by their path below the root, `/` first, escaped with `!`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Bytes>,
    folder: Option<PathBuf>,
}

impl Tree {
    /// The files of a folder in the layout of a proxy, read when they are asked for.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { files: BTreeMap::new(), folder: Some(path.into()) }
    }

    /// With a module.
    #[must_use]
    pub fn with(mut self, module: Module) -> Self {
        self.add(module);
        self
    }

    /// Adds or replaces a file.
    pub fn put(&mut self, path: &str, content: impl Into<Bytes>) {
        self.files.insert(path.to_owned(), content.into());
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Adds the list entry, `.info`, `.mod` and `.zip` of a module; one with a pseudo-version is not listed.
    pub fn add(&mut self, module: Module) {
        let base = format!("/{}/@v", escape(&module.path));
        let name = format!("{base}/{}", escape(&module.version));
        self.put(&format!("{name}.info"), module.info());
        self.put(&format!("{name}.mod"), module.go_mod());
        self.put(&format!("{name}.zip"), module.zip());
        let list = self.files.entry(format!("{base}/list")).or_default();
        if module.is_listed {
            *list = format!("{}{}\n", String::from_utf8_lossy(list), module.version).into();
        }
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<Bytes> {
        if let Some(content) = self.files.get(path) {
            return Some(content.clone());
        }
        let file = self.folder.as_ref()?.join(path.trim_start_matches('/'));
        std::fs::read(file).ok().map(Bytes::from)
    }

    /// All paths made by hand or from modules.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Writes all files below a folder.
    ///
    /// # Panics
    /// When that fails.
    pub fn write_to(&self, root: &Path) {
        for (path, content) in &self.files {
            let file = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(file.parent().expect("a file below the root")).expect("a new folder");
            let mut file = std::fs::File::create(file).expect("a new file");
            file.write_all(content).expect("room for a file");
        }
    }
}

/// One version of a module.
#[derive(Clone, Debug)]
pub struct Module {
    path: String,
    version: String,
    time: String,
    requirements: Vec<(String, String)>,
    go_mod: Option<String>,
    files: Vec<(String, Vec<u8>)>,
    is_listed: bool,
}

impl Module {
    /// A module that has nothing but a go.mod.
    pub fn new(path: &str, version: &str) -> Self {
        Self {
            path: path.to_owned(),
            version: version.to_owned(),
            time: "2024-03-02T01:02:03Z".to_owned(),
            requirements: Vec::new(),
            go_mod: None,
            files: Vec::new(),
            is_listed: true,
        }
    }

    /// With a file in its zip.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// With a requirement in its go.mod.
    #[must_use]
    pub fn requires(mut self, path: &str, version: &str) -> Self {
        self.requirements.push((path.to_owned(), version.to_owned()));
        self
    }

    /// With this go.mod instead of a made one.
    #[must_use]
    pub fn with_go_mod(mut self, text: &str) -> Self {
        self.go_mod = Some(text.to_owned());
        self
    }

    /// With this time in its `.info`.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        self.time = time.to_owned();
        self
    }

    /// Not in the list of versions.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.is_listed = false;
        self
    }

    /// The `.info`.
    pub fn info(&self) -> String {
        format!("{{\"Version\":\"{}\",\"Time\":\"{}\"}}", self.version, self.time)
    }

    /// The go.mod.
    pub fn go_mod(&self) -> String {
        if let Some(text) = &self.go_mod {
            return text.clone();
        }
        let mut text = format!("module {}\n\ngo 1.21\n", self.path);
        for (path, version) in &self.requirements {
            writeln!(text, "\nrequire {path} {version}").expect("a string takes everything");
        }
        text
    }

    /// The zip, with a go.mod of its own unless the files have one.
    pub fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let go_mod = ("go.mod".to_owned(), self.go_mod().into_bytes());
        let has_go_mod = self.files.iter().any(|(name, _)| name == "go.mod");
        for (name, content) in (!has_go_mod).then_some(&go_mod).into_iter().chain(&self.files) {
            let name = format!("{}@{}/{name}", self.path, self.version);
            zip.start_file(name, SimpleFileOptions::default()).expect("a name for a file");
            zip.write_all(content).expect("memory takes everything");
        }
        zip.finish().expect("memory takes everything").into_inner()
    }
}

/// `!` and the lower-case letter for each upper-case letter.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        if letter.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(letter.to_ascii_lowercase());
        escaped
    })
}
