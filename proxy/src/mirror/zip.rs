//! The flight for a zip: hashed while it arrives, followed by its clients, judged at its end.
//!
//! Clients read the quarantine file as it grows. What makes a zip of it stays back until the verdict ([`Withheld`]), so
//! nobody can use one that is not proved. When it is refused, the replies under way end short. A zip of which little
//! could leave before the verdict is not begun to be sent, so that its refusal reaches the client as a status and a
//! text.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use modkeep_module::dirhash::HashError;
use modkeep_module::resource::Resource;
use modkeep_module::version::ModuleVersion;
use modkeep_module::zip::{
    ArchiveError, CheckError, Fault, FileFault, Withheld, ZipError, ZipFacts, prove_zip,
};
use modkeep_store::{Digest, ErrorKind, Incoming, StoreError};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::body::{Broken, Piece, Pieces, read_at};
use crate::error::Problem;
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::flight::Pilot;
use crate::mirror::notary::{Line, Question};
use crate::mirror::{Landing, Shared, chain, unreadable};
use crate::wire::room::PIECE;

/// Bytes at the end of a zip that nobody gets before the verdict, beyond what must stay back: most zips are smaller.
const HELD_BACK: u64 = 128 * 1024;
/// How often a file that was kept and named is found gone before it is given up.
const LOOKS: usize = 4;
/// When to ask again for what can't be kept now.
const PAUSE: Duration = Duration::from_secs(10);
/// Pieces that are ready together and written together.
const PIECES_AT_ONCE: usize = 8;

/// How far a zip is.
#[derive(Clone)]
pub(crate) enum Progress {
    /// The upstream has not answered.
    Waiting,
    /// Bytes come.
    Arriving(Arriving),
    /// The verdict is there and, if it is a good one, the file is kept. `arrived` is what came from the upstream; a file
    /// that was kept by someone else meanwhile can be another one.
    Landed { landing: Landing, arrived: Option<Digest> },
}

/// A zip on its way.
#[derive(Clone)]
pub(crate) struct Arriving {
    file: Arc<File>,
    /// As the upstream announced it.
    pub(crate) length: Option<u64>,
    have: u64,
    /// Bytes from the beginning that are no zip, whatever follows.
    harmless: u64,
}

impl Progress {
    /// Whether a client can be told something: a verdict, or the beginning of a file that is long enough to be begun.
    pub(crate) fn can_be_told(&self, streams: bool) -> bool {
        match self {
            Self::Waiting => false,
            Self::Landed { .. } => true,
            Self::Arriving(arriving) => streams && arriving.tellable() > 0,
        }
    }
}

impl Arriving {
    /// Bytes from the beginning that may leave before the verdict.
    fn tellable(&self) -> u64 {
        self.harmless.min(self.length.unwrap_or(self.have).saturating_sub(HELD_BACK))
    }
}

/// Flies, keeps what came of it, and tells.
pub(super) async fn fly(shared: Arc<Shared>, version: ModuleVersion, pilot: Pilot<ModuleVersion, Progress>) {
    let resource = Resource::Zip(version.clone());
    if let Some(fact) = shared.known_meanwhile(&resource).await {
        return pilot.land(Progress::Landed { landing: Ok(fact), arrived: None });
    }
    let (landing, arrived) = match shared.bring_zip(&resource, &version, &pilot).await {
        Ok((fact, arrived)) => (Ok(fact), Some(arrived)),
        Err(problem) => (shared.settle(&resource, Err(problem)).await, None),
    };
    pilot.land(Progress::Landed { landing, arrived });
}

impl Shared {
    async fn bring_zip(
        &self,
        resource: &Resource,
        version: &ModuleVersion,
        pilot: &Pilot<ModuleVersion, Progress>,
    ) -> Result<(Fact, Digest), Problem> {
        let _turn = self.zip_turns.acquire().await;
        let question = self.notary.ask(version);
        let answer = self.upstream()?.fetch(resource).await.map_err(|error| self.failed(resource, &error))?;
        self.suspicion.clear();
        let mut incoming = self.store.begin().await.map_err(|error| unreadable(error.into()))?;
        let file = Arc::new(incoming.reader().map_err(|error| unreadable(error.into()))?);
        let length = answer.length;
        let mut withheld = Withheld::new();
        let mut pieces = answer.body.ready_chunks(PIECES_AT_ONCE);
        while let Some(ready) = pieces.next().await {
            let piece = joined(ready).map_err(|error| self.failed(resource, &error))?;
            self.metrics.upstream_bytes.inc_by(piece.len() as u64);
            let harmless = withheld.feed(&piece);
            incoming.write(piece).await.map_err(|error| unreadable(error.into()))?;
            let have = incoming.len();
            pilot.report(Progress::Arriving(Arriving { file: Arc::clone(&file), length, have, harmless }));
        }
        let (h1, by) = self.prove(version, Arc::clone(&file), incoming.len(), question).await?;
        let arrived = incoming.digest();
        Ok((self.publish(version, incoming, file, h1, by).await?, arrived))
    }

    /// The zip's form, then its hash against the database's word.
    async fn prove(
        &self,
        version: &ModuleVersion,
        file: Arc<File>,
        length: u64,
        question: Question,
    ) -> Result<(String, Option<String>), Problem> {
        let facts = self.form(version, file, length).await;
        let (h1, proof) = match &facts {
            Ok(facts) => (facts.h1.to_string(), question.proves(Line::Module, &facts.h1).await),
            Err(problem) => (String::new(), Err(problem.clone())),
        };
        self.count_verdict("zip", &proof);
        Ok((h1, proof?))
    }

    async fn form(&self, version: &ModuleVersion, file: Arc<File>, length: u64) -> Result<ZipFacts, Problem> {
        let of = version.clone();
        let proof = spawn_blocking(move || prove_zip(&file, length, &of)).await.map_err(|crash| {
            tracing::error!(%version, %crash, "checking a zip crashed");
            Problem::Internal
        })?;
        proof.map_err(|error| unfit(version, &error))
    }

    /// Durable first, then visible, and then there for sure: a sweep may have taken the blob before it had a name.
    async fn publish(
        &self,
        version: &ModuleVersion,
        incoming: Incoming,
        file: Arc<File>,
        h1: String,
        by: Option<String>,
    ) -> Landing {
        let resource = Resource::Zip(version.clone());
        let kept = self.store.keep(incoming).await.map_err(|error| unreadable(error.into()))?;
        let content = Content::Blob { digest: kept.digest, length: kept.len };
        let ours = Proved { content, h1: Some(h1), by };
        let fact = Fact { at: self.clock.now(), state: State::Proved(ours.clone()) };
        for _ in 0..LOOKS {
            let theirs = self.facts.keep_file(&resource, fact.clone()).await.map_err(unreadable)?;
            match &theirs.state {
                State::Proved(known) if self.is_whole(known).await? => return Ok(theirs),
                State::Proved(known) if known.content == ours.content => {
                    self.keep_again(&file, kept.len).await.map_err(|error| unreadable(error.into()))?;
                }
                State::Proved(known) if known.by.is_none() && ours.by.is_none() && known.h1 != ours.h1 => {
                    return Err(another(version, &ours, known));
                }
                _ => drop(self.facts.replace_file(&resource, fact.clone()).await.map_err(unreadable)?),
            }
        }
        Err(Problem::Later {
            text: format!("keeping {version}: its file comes and goes"),
            retry_after: PAUSE,
        })
    }

    async fn keep_again(&self, file: &Arc<File>, length: u64) -> Result<(), StoreError> {
        let mut incoming = self.store.begin().await?;
        let mut at = 0;
        while at < length {
            let (file, wanted) = (Arc::clone(file), PIECE.min((length - at) as usize));
            let read = spawn_blocking(move || read_at(&file, at, wanted)).await;
            let failed = || StoreError::new(ErrorKind::Io, "reading a file in quarantine");
            let piece = read.map_err(|crash| failed().because(crash))?.map_err(|e| failed().because(e))?;
            if piece.is_empty() {
                return Err(failed());
            }
            at += piece.len() as u64;
            incoming.write(piece).await?;
        }
        self.store.keep(incoming).await.map(drop)
    }

    async fn is_whole(&self, proved: &Proved) -> Result<bool, Problem> {
        let blob =
            self.store.open(&proved.content.digest()).await.map_err(|error| unreadable(error.into()))?;
        Ok(blob.is_some_and(|blob| blob.len() == proved.content.length()))
    }
}

/// The refusal of a zip that is not what it was when it first came, where no database can say which is right.
fn another(version: &ModuleVersion, ours: &Proved, known: &Proved) -> Problem {
    let h1 = |proved: &Proved| proved.h1.clone().unwrap_or_default();
    let (downloaded, kept) = (h1(ours), h1(known));
    let text = format!(
        "{version}: verifying module: checksum mismatch\n\tdownloaded: {downloaded}\n\tkept before: {kept}"
    );
    Problem::Refused { text }
}

/// The refusal of a zip that breaks the rules, in the go command's words; a fault of our own disk is no refusal.
fn unfit(version: &ModuleVersion, error: &ZipError) -> Problem {
    if is_ours(error) {
        tracing::error!(%version, error = %chain(error), "reading a zip in quarantine");
        return Problem::Internal;
    }
    let first = match error {
        ZipError::Check(CheckError::Files(files)) => files.first(),
        _ => None,
    };
    // cmd/go/internal/modfetch/fetch.go:downloadZip looks for this before anything else.
    if let Some(FileFault { path, fault: Fault::NoPrefix(_) }) = first {
        let file = String::from_utf8_lossy(path);
        return Problem::Refused { text: format!("zip for {version} has unexpected file {file}") };
    }
    Problem::Refused { text: format!("unzip {}/@v/{}.zip: {error}", version.path, version.version) }
}

fn is_ours(error: &ZipError) -> bool {
    matches!(
        error,
        ZipError::Archive(ArchiveError::Io(_))
            | ZipError::Content(HashError::Entry { source: ArchiveError::Io(_), .. })
    )
}

fn joined<E>(ready: Vec<Result<Bytes, E>>) -> Result<Bytes, E> {
    let mut pieces = ready.into_iter();
    let Some(first) = pieces.next().transpose()? else { return Ok(Bytes::new()) };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return Ok(first);
    }
    let mut all = BytesMut::from(first);
    for piece in pieces {
        all.extend_from_slice(&piece?);
    }
    Ok(all.freeze())
}

/// What one client reads of a zip on its way.
struct Follower {
    flight: watch::Receiver<Progress>,
    file: Arc<File>,
    at: u64,
    ended: bool,
}

/// The bytes of a zip from its beginning, as they may be read.
pub(crate) fn follow(flight: watch::Receiver<Progress>, arriving: Arriving) -> Pieces {
    let follower = Follower { flight, file: arriving.file, at: 0, ended: false };
    Box::pin(stream::unfold(follower, |mut follower| async move {
        if follower.ended {
            return None;
        }
        let piece = follower.next().await.transpose()?;
        follower.ended = piece.is_err();
        Some((piece, follower))
    }))
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Piece>, Broken> {
        let start = self.at;
        self.at = self.limit().await?;
        let piece = Piece::File { file: Arc::clone(&self.file), start, end: self.at };
        Ok((start < self.at).then_some(piece))
    }

    /// How far may be read, once that is further than what was read, or the end.
    async fn limit(&mut self) -> Result<u64, Broken> {
        loop {
            match &*self.flight.borrow_and_update() {
                Progress::Landed { landing, arrived } => return ending(landing, *arrived),
                Progress::Arriving(arriving) if arriving.tellable() > self.at => {
                    return Ok(arriving.tellable());
                }
                Progress::Arriving(_) | Progress::Waiting => {}
            }
            if self.flight.changed().await.is_err() {
                return Err(Broken::Refused("the fetch was stopped".to_owned()));
            }
        }
    }
}

/// The length of a file that was proved, or why its readers get no more of it.
fn ending(landing: &Landing, arrived: Option<Digest>) -> Result<u64, Broken> {
    match landing {
        Ok(Fact { state: State::Proved(proved), .. }) if Some(proved.content.digest()) == arrived => {
            Ok(proved.content.length())
        }
        Ok(Fact { state: State::Proved(_), .. }) => {
            Err(Broken::Refused("another file was kept first".to_owned()))
        }
        Ok(Fact { state: State::Absent { text, .. } | State::Refused { text }, .. }) => {
            Err(Broken::Refused(text.clone()))
        }
        Err(problem) => Err(Broken::Refused(format!("{problem:?}"))),
    }
}
