//! The private tiers of the cache: archives by what their makers really read, and linked programs.
//!
//! Go names a package's import by the content of its whole archive, so that a changed function body recompiles all that
//! import it, directly or not. A compiler reads only the export data: where that is unchanged, the result is the old
//! archive with the new key in its build ID, byte for byte; whoever made it, for what the build cache has is noted as well.
//! Programs are kept by go's own key; where the machine's linker had
//! a say, with the identity of the host.
//! Entries live in a cache of their own beside go's, bounded by size and age, and may come from the [remote](crate::remote).

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use memchr::memmem;
use modkeep_store::Digest;
use parking_lot::Mutex;

use crate::action_id::ActionId;
use crate::buildid::{self, BuildId};
use crate::compile::{Archive, Compiled, Unit};
use crate::host;
use crate::link::Program;
use crate::shop::Shop;

const EXPORTS: &str = "modkeep exports 1\n";
const PROGRAMS: &str = "modkeep program 1\n";
/// The first member of an archive: its head, then what importers read.
const MEMBER_HEAD: usize = 8 + 60;

/// What may be done with a program before it is put in place.
const MODE: u32 = 0o755;

/// Export data of archives, by the digest of the archive.
#[derive(Debug, Default)]
pub(crate) struct Exports(Mutex<HashMap<Digest, Digest>>);

/// A package's key in the tier.
#[derive(Debug)]
pub(crate) struct ExportKey(ActionId);

impl ExportKey {
    /// The key; none where an archive is not known by its content, more goes into it than go's key names, or other things than
    /// archives are made.
    pub(crate) fn of(unit: &Unit<'_>, preimage: &str) -> Option<Self> {
        let (package, flags) = (unit.package, &unit.shop.flags);
        let has_other_results = package.uses_cgo() || package.uses_swig() || package.cover.is_some();
        let is_closed = || flags.wrapper.is_empty() && host::assembly::is_closed(package, unit.goal);
        if flags.dry || flags.forces || has_other_results || !is_closed() {
            return None;
        }
        let mut text = String::with_capacity(preimage.len());
        let mut imports = unit.imports.iter();
        for line in preimage.lines() {
            // The line of the package's own path has a quote.
            if line.starts_with("import ") && !line.starts_with("import \"") {
                let (import, compiled) = imports.next()?;
                let exports = match &compiled.archive {
                    Some(archive) => exports(unit.shop, archive)?.to_string(),
                    None => String::new(),
                };
                text.push_str(&format!("exports {} {exports}\n", import.import_path));
            } else {
                text.push_str(line);
                text.push('\n');
            }
        }
        imports.next().is_none().then(|| Self(ActionId::of(EXPORTS, &text)))
    }

    /// The old archive under the new key, if there is one whose content is what its ID says.
    pub(crate) fn reuse(&self, unit: &Unit<'_>, id: ActionId, preimage: &str) -> Option<Compiled> {
        let (shop, cache) = (unit.shop, &unit.shop.cache);
        let remote = shop.remote.as_ref().filter(|_| unit.shared_key(&id).is_some());
        let kept = shop.tiers.bytes(&self.0);
        let kept = kept.or_else(|| remote?.content(&*remote?.find_known(&self.0)?))?;
        let kept = String::from_utf8(kept).ok()?;
        let (old, digest) = kept.trim_end().split_once(' ')?;
        let (old, digest) = (BuildId::found(old.to_owned()), Digest::parse(digest).ok()?);
        let here = cache.output_file(&digest).and_then(|file| std::fs::read(file).ok());
        let here = here.filter(|bytes| Digest::of(bytes) == digest);
        let mut bytes = here.or_else(|| remote?.content(&*remote?.find_output(&digest)?))?;
        let found = buildid::find(&bytes, &old);
        let build_id = BuildId::of_package(&id.short()).with_content(&found.content);
        if found.places.is_empty() || build_id.content() != old.content() {
            return None;
        }
        buildid::rewrite(&mut bytes, &found, &build_id);
        let content = Digest::of(&bytes);
        shop.keep(cache.put_known(&id, content, &bytes))?;
        // The tools said nothing the first time, or there would be no key.
        shop.keep(cache.put_bytes(&id.subkey("stdout"), b""))?;
        shop.keep(cache.put_bytes(&id.subkey("srcfiles"), source_list(unit).as_bytes()))?;
        shop.proved.lock().insert(content);
        let path = cache.output_file(&content)?.to_string_lossy().into_owned();
        self.remember(unit, &build_id, &content);
        unit.shop.memory().note_result(&id, build_id.content());
        let archive = Some(Archive { path, content: Some(content) });
        Some(Compiled { action: id, preimage: preimage.to_owned(), build_id, archive, is_cached: true })
    }

    /// The key itself.
    pub(crate) fn action(&self) -> &ActionId {
        &self.0
    }

    /// Keeps what was made.
    pub(crate) fn remember(&self, unit: &Unit<'_>, build_id: &BuildId, content: &Digest) {
        unit.shop.keep(unit.shop.tiers.put_bytes(&self.0, record(build_id, content).as_bytes()));
    }

    /// Keeps what the build cache has, about which its makers said nothing: it may be go's, which knows of no such keys.
    pub(crate) fn learn(unit: &Unit<'_>, cached: &Compiled) {
        let shop = unit.shop;
        let content = cached.archive.as_ref().and_then(|archive| archive.content);
        // One that lies with the remote cache only has its key there.
        let Some(content) = content.filter(|content| shop.cache.place_of(content).is_file()) else {
            return;
        };
        let Some(key) = Self::of(unit, &cached.preimage).filter(|_| !shop.flags.only_tells_reasons) else {
            return;
        };
        let expected = Digest::of(record(&cached.build_id, &content).as_bytes());
        let known = shop.tiers.entry(&key.0);
        if known.is_some_and(|entry| entry.output == expected) {
            return;
        }
        // Two archives can have one key; which of them it names is no matter while that one is there.
        let named = shop.tiers.bytes(&key.0).and_then(|kept| String::from_utf8(kept).ok());
        let named = named.and_then(|kept| Digest::parse(kept.trim_end().split_once(' ')?.1).ok());
        if named.is_none_or(|named| !shop.cache.place_of(&named).is_file()) {
            key.remember(unit, &cached.build_id, &content);
        }
    }
}

/// Where the archive of a key is found.
fn record(build_id: &BuildId, content: &Digest) -> String {
    format!("{build_id} {content}\n")
}

fn source_list(unit: &Unit<'_>) -> String {
    let package = unit.package;
    let files = package.go_files.iter().chain(&package.s_files);
    files.map(|file| format!("./{file}\n")).collect()
}

/// The digest of what importers of an archive read; nothing for one whose bytes are not what its name says, since what is
/// remembered here is believed by later runs.
fn exports(shop: &Shop, archive: &Archive) -> Option<Digest> {
    let content = archive.content?;
    if let Some(known) = shop.exports.0.lock().get(&content) {
        return Some(*known);
    }
    let digest = match shop.memory().exports(&content) {
        Some(digest) => digest,
        None => {
            if !shop.proves(&content) {
                return None;
            }
            let digest = Digest::of(&read_exports(Path::new(&archive.path))?);
            shop.memory().note_exports(content, digest);
            digest
        }
    };
    shop.exports.0.lock().insert(content, digest);
    Some(digest)
}

/// What an archive's first member holds behind its build ID.
fn read_exports(archive: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(archive).ok()?;
    let mut head = [0; MEMBER_HEAD];
    file.read_exact(&mut head).ok()?;
    if !head.starts_with(b"!<arch>\n__.PKGDEF") {
        return None;
    }
    let size =
        std::str::from_utf8(&head[MEMBER_HEAD - 12..MEMBER_HEAD - 2]).ok()?.trim().parse::<u64>().ok()?;
    let mut member = Vec::new();
    file.take(size).read_to_end(&mut member).ok()?;
    let start = memmem::find(&member, b"\n$$B\n")?;
    Some(member.split_off(start))
}

/// The key of a program in the tier; none where it follows from more than can be told.
pub(crate) fn program_key(program: &Program<'_>, id: &ActionId) -> Option<ActionId> {
    let shop = program.shop;
    if shop.flags.dry || !shop.flags.wrapper.is_empty() || program.leaves_more() {
        return None;
    }
    if !program.may_link_externally() {
        return Some(ActionId::of(PROGRAMS, &id.to_string()));
    }
    if !program.is_described_by_host() {
        return None;
    }
    host::key(shop, program.goal, program.host_part(), &ActionId::of(PROGRAMS, &id.to_string()))
}

/// The program that a cache has, put where the linker would have left it.
pub(crate) fn kept_program(
    program: &Program<'_>,
    id: &ActionId,
    temporary: &BuildId,
    path: &str,
) -> Option<BuildId> {
    let shop = program.shop;
    // What the build cache keeps was looked for there.
    if shop.flags.forces || (program.is_kept && shop.remote.is_none()) {
        return None;
    }
    let key = program_key(program, id)?;
    if program.is_kept || !shop.tiers.copy_to(&key, Path::new(path), MODE) {
        let remote = shop.remote.as_ref()?;
        let bytes = remote.content(&*remote.find(&key)?)?;
        if !program.is_kept {
            shop.keep(shop.tiers.put_bytes(&key, &bytes));
        }
        crate::shop::write_throwaway(path, &bytes).ok()?;
        make_executable(path).ok()?;
    }
    let build_id = buildid::read(Path::new(path)).ok()??;
    let same_inputs = build_id.of_main()?[..3] == temporary.of_main()?[..3];
    program.retell();
    same_inputs.then_some(build_id)
}

/// Whether the program is kept on this machine, as far as its size tells.
pub(crate) fn has_program(program: &Program<'_>, id: &ActionId) -> bool {
    let is_to_be_made = program.shop.flags.forces || program.is_kept;
    !is_to_be_made && program_key(program, id).is_some_and(|key| program.shop.tiers.file(&key).is_some())
}

/// Keeps a program whose key says all that it follows from.
pub(crate) fn keep_program(program: &Program<'_>, id: &ActionId, bytes: &[u8]) {
    if !program.is_kept
        && let Some(key) = program_key(program, id)
    {
        program.shop.keep(program.shop.tiers.put_bytes(&key, bytes));
    }
}

#[cfg(unix)]
fn make_executable(path: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE))
}

#[cfg(not(unix))]
fn make_executable(_: &str) -> std::io::Result<()> {
    Ok(())
}
