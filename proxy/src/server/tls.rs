//! The certificate and its key: read from files, and read again when the files change.
//!
//! Connections take the newest pair that fits together; those that are there already keep theirs. A pair that doesn't
//! fit (a renewal writes one file after the other), or can't be read, changes nothing.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// HTTP/2 in the negotiation of protocols (RFC 7301).
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("reading `{}`", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not in the form that it should have.
    #[error("`{}` holds no {what} in PEM form", file.display())]
    NotPem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The certificate can't be used with this key, or at all.
    #[error("the certificate in `{}` and the key in `{}` can't be used", certificate.display(), key.display())]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
    /// The cryptography refuses to start.
    #[error("preparing TLS")]
    Library(#[source] rustls::Error),
}

/// A certificate with its chain, its key, and the files that they come from.
#[derive(Debug)]
pub struct Certificates {
    files: Files,
    current: Current,
    config: Arc<ServerConfig>,
    /// The bytes that were refused last, so that they are complained about once.
    refused: Mutex<Option<Texts>>,
    reloads: AtomicU64,
    failures: AtomicU64,
}

/// The pair that new connections get.
type Current = Arc<RwLock<Arc<Pair>>>;

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug)]
struct Pair {
    texts: Texts,
    certified: Arc<CertifiedKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificates {
    /// Reads a certificate with its chain, and its key, both in PEM form.
    ///
    /// # Errors
    /// When a file can't be read, or the two don't fit together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let pair = files.pair(files.read()?)?;
        let current = Arc::new(RwLock::new(Arc::new(pair)));
        let config = config(Arc::clone(&current)).map_err(TlsError::Library)?;
        Ok(Arc::new(Self {
            files,
            current,
            config: Arc::new(config),
            refused: Mutex::default(),
            reloads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }))
    }

    /// Reads the files again if their content is another; says whether new connections get another certificate now.
    ///
    /// # Errors
    /// When they can't be used; the certificate that was in use stays in use.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let texts = self.files.read()?;
        if self.current.read().texts == texts || self.refused.lock().as_ref() == Some(&texts) {
            return Ok(false);
        }
        match self.files.pair(texts.clone()) {
            Ok(pair) => {
                *self.current.write() = Arc::new(pair);
                self.reloads.fetch_add(1, Ordering::Relaxed);
                Ok(true)
            }
            Err(error) => {
                *self.refused.lock() = Some(texts);
                self.failures.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// When the certificate in use ends, in seconds since 1970.
    pub fn expires(&self) -> Option<i64> {
        self.of_certificate(|certificate| certificate.validity().not_after.timestamp())
    }

    /// The names of hosts that the certificate in use is for; addresses as they are written.
    pub fn names(&self) -> Vec<String> {
        let names = self.of_certificate(|certificate| {
            let alternatives = certificate.subject_alternative_name().ok().flatten();
            let names = alternatives.iter().flat_map(|names| &names.value.general_names);
            names.filter_map(host).collect()
        });
        names.unwrap_or_default()
    }

    /// How often another certificate was taken, and how often one was refused.
    pub(crate) fn counts(&self) -> [u64; 2] {
        [&self.reloads, &self.failures].map(|count| count.load(Ordering::Relaxed))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    fn of_certificate<T>(&self, read: impl FnOnce(&X509Certificate<'_>) -> T) -> Option<T> {
        let pair = Arc::clone(&self.current.read());
        let certificate = pair.certified.cert.first()?;
        X509Certificate::from_der(certificate).ok().map(|(_, certificate)| read(&certificate))
    }
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|ip| std::net::IpAddr::from(ip).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|ip| std::net::IpAddr::from(ip).to_string()),
        },
        _ => None,
    }
}

/// Looks at the files for ever.
pub(crate) async fn watch(certificates: Arc<Certificates>) -> Infallible {
    loop {
        tokio::time::sleep(LOOK).await;
        let looked = Arc::clone(&certificates);
        match tokio::task::spawn_blocking(move || looked.refresh()).await {
            Ok(Ok(false)) | Err(_) => {}
            Ok(Ok(true)) => tracing::info!("another certificate is in use"),
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the certificate stays as it was");
            }
        }
    }
}

impl Files {
    fn read(&self) -> Result<Texts, TlsError> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|source| TlsError::Unreadable { file: file.to_owned(), source })
        };
        Ok(Texts { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    fn pair(&self, texts: Texts) -> Result<Pair, TlsError> {
        let not_pem = |file: &Path, what| {
            let file = file.to_owned();
            move |source| TlsError::NotPem { file, what, source }
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&texts.certificate)
            .collect::<Result<_, _>>()
            .map_err(not_pem(&self.certificate, "certificate"))?;
        if chain.is_empty() {
            return Err(not_pem(&self.certificate, "certificate")(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(not_pem(&self.key, "private key"))?;
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified = certified.map_err(|source| TlsError::Unusable {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })?;
        Ok(Pair { texts, certified: Arc::new(certified) })
    }
}

/// Gives each handshake the pair of the moment.
#[derive(Debug)]
struct Newest(Current);

impl ResolvesServerCert for Newest {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().certified))
    }
}

fn config(current: Current) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(Newest(current)));
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    // A client that comes again proves by its ticket what it proved before; keys of tickets change by themselves.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}
