//! An authority of one's own, and certificates for this machine that it signs.

use std::io::Write;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Who signs; its certificate is in a file that clients can be told to trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one that keeps its files in `folder`.
    ///
    /// # Panics
    /// When the folder can't be written.
    pub fn new(folder: &Path) -> Self {
        let mut parameters = CertificateParams::new([]).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("randomness");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("a certificate of its own");
        let authority = Self { issuer, folder: folder.to_owned() };
        put(&authority.root(), &authority.issuer.as_ref().pem());
        authority
    }

    /// The file that clients must trust.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// The file of the server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The file of the server's key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// A new certificate for this machine; not in the files yet.
    pub fn sign(&self) -> Signed {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate().expect("randomness");
        let parameters = CertificateParams::new(names).expect("names of this machine");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a key that can sign");
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Puts a certificate into the server's files, one after the other.
    ///
    /// # Panics
    /// When the folder can't be written.
    pub fn install(&self, signed: &Signed) {
        put(&self.certificate(), &signed.certificate);
        put(&self.key(), &signed.key);
    }
}

/// Writes a file in one step, as a renewal does.
fn put(file: &Path, text: &str) {
    let folder = file.parent().expect("a file in a folder");
    let mut new = tempfile::NamedTempFile::new_in(folder).expect("a new file");
    new.write_all(text.as_bytes()).expect("room for a file");
    new.persist(file).expect("a name for the file");
}
