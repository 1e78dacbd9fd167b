//! The log behind a checksum database: every hash of it in memory, and a head of any size it ever had.

use std::collections::HashMap;

use modkeep_module::sumdb::note::{Signer, Verifier};
use modkeep_module::sumdb::record::Record;
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::sumdb::tlog::{Node, tree_hash};
use modkeep_module::sumdb::{Hash, SignedHead, Tile, TreeHead};

/// What a database answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Status 200.
    Content(Vec<u8>),
    /// Another status, with a text for the user.
    Refusal(u16, String),
    /// Status 200 and a body that ends before its announced length.
    CutShort(Vec<u8>),
    /// No answer, ever.
    Silence,
}

/// A log and the key that signs its heads.
#[derive(Clone, Debug)]
pub struct Log {
    signer: Signer,
    records: Vec<String>,
    /// `levels[l][i]` is the hash of the node at level l, index i.
    levels: Vec<Vec<Hash>>,
    ids: HashMap<String, u64>,
    shown: Option<u64>,
}

impl Log {
    /// An empty log under a name, with a key made from one byte.
    pub fn new(name: &str, seed: u8) -> Self {
        let signer = Signer::from_seed(name, [seed; 32]).expect("tests name databases well");
        Self { signer, records: Vec::new(), levels: vec![Vec::new()], ids: HashMap::new(), shown: None }
    }

    /// A log of `size` modules `example.com/m0`, `example.com/m1`, … at v1.0.0.
    pub fn of_modules(name: &str, seed: u8, size: u64) -> Self {
        let mut log = Self::new(name, seed);
        for number in 0..size {
            log.add(&format!("example.com/m{number}"), "v1.0.0");
        }
        log
    }

    /// The log as it was at `size`, by the same signer, free to grow otherwise.
    pub fn at(&self, size: u64) -> Self {
        let mut log = Self::new(self.signer.name(), 0);
        log.signer = self.signer.clone();
        for text in &self.records[..size as usize] {
            log.append(text.clone());
        }
        log.ids =
            self.ids.iter().filter(|&(_, &id)| id < size).map(|(asked, &id)| (asked.clone(), id)).collect();
        log
    }

    /// Appends a record for a module with checksums that depend on its name, and answers with its number.
    pub fn add(&mut self, path: &str, version: &str) -> u64 {
        self.add_sums(path, version, &checksum(path, version, "zip"), &checksum(path, version, "mod"))
    }

    /// Appends a record with these `h1:` checksums.
    pub fn add_sums(&mut self, path: &str, version: &str, zip: &str, go_mod: &str) -> u64 {
        let id = self.append(format!("{path} {version} {zip}\n{path} {version}/go.mod {go_mod}\n"));
        self.ids.insert(request_for(path, version), id);
        id
    }

    /// Appends a record with any text.
    pub fn append(&mut self, text: String) -> u64 {
        let id = self.records.len() as u64;
        let mut hash = Hash::of_record(text.as_bytes());
        self.records.push(text);
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            let &[.., left, right] = &row[..] else { break };
            if row.len() % 2 == 1 {
                break;
            }
            hash = Hash::of_node(left, right);
        }
        id
    }

    /// Records in the log.
    pub fn size(&self) -> u64 {
        self.records.len() as u64
    }

    /// The text of a record.
    pub fn record(&self, id: u64) -> &str {
        &self.records[id as usize]
    }

    /// Who checks the heads.
    pub fn verifier(&self) -> Verifier {
        self.signer.verifier()
    }

    /// Signs by another key from now on.
    pub fn sign_with(&mut self, signer: Signer) {
        self.signer = signer;
    }

    /// Shows the head of an older size from now on, or the newest.
    pub fn show(&mut self, size: Option<u64>) {
        self.shown = size;
    }

    /// The hash of a node.
    pub fn node(&self, node: Node) -> Hash {
        self.levels[usize::from(node.level)][node.index as usize]
    }

    /// The head at a size.
    pub fn tree_at(&self, size: u64) -> TreeHead {
        TreeHead { size, root: tree_hash(size, |node| self.node(node)) }
    }

    /// The signed head at a size.
    pub fn head_at(&self, size: u64) -> SignedHead {
        self.tree_at(size).sign(&self.signer)
    }

    /// The head that is shown.
    pub fn head(&self) -> SignedHead {
        self.head_at(self.shown.unwrap_or(self.size()))
    }

    /// The bytes of a tile; none where the log does not have it in this width.
    pub fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        if !tile.is_in(self.size()) {
            return None;
        }
        let first = tile.index() * 256;
        let nodes =
            (first..first + u64::from(tile.width())).map(|index| Node { level: 8 * tile.level(), index });
        Some(nodes.flat_map(|node| self.node(node).0).collect())
    }

    /// The answer to a request, given as what follows the database's name and its slash.
    pub fn answer(&self, request: &str) -> Reply {
        let content = match request {
            "supported" => Some(Vec::new()),
            "latest" => Some(self.head().note().as_bytes().to_vec()),
            _ => match request.strip_prefix("lookup/") {
                Some(asked) => self.lookup(asked),
                None => self.tile_at(request),
            },
        };
        content.map_or_else(|| Reply::Refusal(404, format!("not found: {request}\n")), Reply::Content)
    }

    fn lookup(&self, asked: &str) -> Option<Vec<u8>> {
        let head = self.head();
        let id = *self.ids.get(asked).filter(|&&id| id < head.tree().size)?;
        let record = Record { id, text: self.record(id).to_owned() };
        Some((record.format().ok()? + head.note()).into_bytes())
    }

    fn tile_at(&self, path: &str) -> Option<Vec<u8>> {
        match TilePath::parse(path).ok()? {
            TilePath::Hashes(tile) => self.tile(tile),
            TilePath::Records { index, width } => {
                let first = usize::try_from(index).ok()? * 256;
                let texts = self.records.get(first..first + usize::from(width))?;
                Some(texts.iter().flat_map(|text| format!("{text}\n").into_bytes()).collect())
            }
        }
    }
}

/// The checksum that a module gets in these logs: a hash of what it is of.
pub(super) fn checksum(path: &str, version: &str, of: &str) -> String {
    format!("h1:{}", Hash::of_record(format!("{path}@{version} {of}").as_bytes()))
}

/// `ESCAPEDPATH@ESCAPEDVERSION`.
fn request_for(path: &str, version: &str) -> String {
    let escape = |text: &str| -> String {
        text.chars()
            .flat_map(|c| c.is_ascii_uppercase().then_some('!').into_iter().chain([c.to_ascii_lowercase()]))
            .collect()
    };
    format!("{}@{}", escape(path), escape(version))
}
