//! Everything that we and Go say of one zip, in one form.

use std::fs::File;
use std::path::Path;

use modkeep_module::ModuleVersion;
use modkeep_module::dirhash::{HashError, hash_dir, hash_zip};
use modkeep_module::zip::{
    Archive, ArchiveError, CheckError, ExtractError, SizeFault, ZipError, check, extract, prove_zip,
};
use serde_json::{Value, json};

/// What one reader makes of a zip; errors as texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The names of the module's files, or why this is no zip of the module.
    pub(crate) check: Result<Vec<String>, String>,
    /// The h1.
    pub(crate) hash: Result<String, String>,
    /// The h1 of the folder that it was unpacked to.
    pub(crate) unzip: Result<String, String>,
}

impl Verdict {
    /// The h1, if the zip may be used.
    pub(crate) fn accepted(&self) -> Option<&str> {
        let usable = self.check.is_ok() && self.unzip.is_ok();
        self.hash.as_deref().ok().filter(|_| usable)
    }

    /// Whether we say what Go says. Of several contents that cannot be read Go unpacks the first in the zip and we the
    /// first by name; and we do not unpack what cannot be hashed.
    pub(crate) fn agrees_with(&self, go: &Self) -> bool {
        let unzip = match (&self.unzip, &go.unzip) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Ok(_), Err(_)) => false,
            (Err(_), Ok(_)) => self.hash.is_err(),
            (Err(_), Err(_)) => true,
        };
        unzip && self.check == go.check && self.hash_agrees_with(go)
    }

    /// Whether the hashes or the refusals are the same. Where a deflated stream is damaged it is a matter of buffers
    /// whether the damage is met before or after the declared size has been passed.
    pub(crate) fn hash_agrees_with(&self, go: &Self) -> bool {
        let damaged = ArchiveError::Deflate.to_string();
        let of_streams = [ArchiveError::Format.to_string(), ArchiveError::UnexpectedEof.to_string()];
        match (&self.hash, &go.hash) {
            (Err(ours), Err(theirs)) if *ours == damaged => *theirs == damaged || of_streams.contains(theirs),
            (Err(ours), Err(theirs)) if *theirs == damaged => of_streams.contains(ours),
            (ours, theirs) => ours == theirs,
        }
    }

    /// What the judge answered to `zip.Judge`.
    pub(crate) fn of_go(answer: &Value) -> Self {
        let check = &answer["check"];
        let result = |value: &Value| match value["error"].as_str() {
            Some(error) => Err(comparable(error)),
            None => Ok(value["hash"].as_str().unwrap().to_owned()),
        };
        Self {
            check: result(&check["verdict"])
                .map(|_| check["valid"].as_array().unwrap().iter().map(text).collect()),
            hash: result(&answer["hash"]),
            unzip: result(&answer["unzip"]),
        }
    }

    /// What we say of the zip in `file`, which is unpacked to `target`.
    pub(crate) fn ours(file: &Path, module: &ModuleVersion, target: &Path) -> Self {
        let zip = File::open(file).unwrap();
        let length = zip.metadata().unwrap().len();
        let archive = Archive::open(&zip, length);
        let check = match &archive {
            // The length of the whole is the first thing that Go looks at.
            _ if length > 500 << 20 => Err(CheckError::Size(SizeFault::Zip(length)).to_string()),
            Ok(archive) => check(archive, module)
                .verdict()
                .map(|valid| {
                    let name = |index| go_text(archive.entry(index).name());
                    valid.into_iter().map(name).collect()
                })
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let hash = match &archive {
            Ok(archive) => hash_zip(archive).map(|h1| h1.to_string()).map_err(|error| hash_text(&error)),
            Err(error) => Err(error.to_string()),
        };
        let unzip = match extract(&zip, length, module, target) {
            Ok(_) => {
                hash_dir(target, &module.to_string()).map(|h1| h1.to_string()).map_err(|e| e.to_string())
            }
            Err(ExtractError::Content(error)) => Err(hash_text(&error)),
            Err(error) => Err(error.to_string()),
        };
        let verdict = Self { check, hash, unzip };
        verdict.agrees_with_proof(&zip, length, module);
        verdict
    }

    /// The one call that the proxy makes says no more and no less than its parts.
    fn agrees_with_proof(&self, zip: &File, length: u64, module: &ModuleVersion) {
        match (prove_zip(zip, length, module), &self.check, &self.hash) {
            (Ok(facts), Ok(valid), Ok(hash)) => {
                assert_eq!(&facts.h1.to_string(), hash);
                assert_eq!(facts.files, valid.len() as u64);
                let go_mod = format!("{module}/go.mod");
                assert_eq!(facts.go_mod.is_some(), valid.contains(&go_mod));
            }
            (Err(ZipError::Check(error)), Err(ours), _) => assert_eq!(&error.to_string(), ours),
            (Err(ZipError::Archive(error)), Err(ours), _) => assert_eq!(&error.to_string(), ours),
            (Err(ZipError::Content(error)), Ok(_), Err(ours)) => assert_eq!(&hash_text(&error), ours),
            (Err(ZipError::Overlap), Ok(_), _) => {}
            (proof, ..) => panic!("{proof:?} beside {self:?}"),
        }
    }
}

/// The arguments of `zip.Judge` and `zip.JudgeFile`.
pub(crate) fn arguments(module: &ModuleVersion, zip: &str) -> Value {
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    json!([base64(module.path.as_str()), base64(module.version.as_str()), zip])
}

/// Bytes as Go writes them into JSON.
pub(crate) fn go_text(bytes: &[u8]) -> String {
    let chunk =
        |chunk: std::str::Utf8Chunk<'_>| chunk.valid().to_owned() + &"\u{fffd}".repeat(chunk.invalid().len());
    bytes.utf8_chunks().map(chunk).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Go's text without what depends on its insides: how far inflate came, and the name of its temporary file.
fn comparable(error: &str) -> String {
    if error.starts_with("flate: corrupt input before offset ") {
        return ArchiveError::Deflate.to_string();
    }
    if error.starts_with("readat ") && error.ends_with(": negative offset") {
        return "negative offset".to_owned();
    }
    // Near 2^63 the system does not say that the file has ended.
    if error.starts_with("read ") && error.ends_with(": invalid argument") {
        return ArchiveError::Eof.to_string();
    }
    error.to_owned()
}

/// Go does not name the entry that could not be read.
fn hash_text(error: &HashError) -> String {
    match error {
        HashError::Entry { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
