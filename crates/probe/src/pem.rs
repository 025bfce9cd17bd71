//! Reading the file of `checks.trusted_ca`.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// Why a file gives no certificates.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// It cannot be read.
    #[error("could not read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A section of it is damaged.
    #[error("`{path}` is not an intact PEM file: {fault}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        fault: Error,
    },
    /// It contains no certificate.
    #[error("`{path}` has no certificate in it (a PEM file with `BEGIN CERTIFICATE` is needed)")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The certificates in the PEM file at `path`, at least one.
///
/// # Errors
///
/// It cannot be read, is damaged, or has none.
pub fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let text =
        std::fs::read(path).map_err(|source| PemError::Read { path: path.to_owned(), source })?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|fault| PemError::Damaged { path: path.to_owned(), fault })?;
    if found.is_empty() { Err(PemError::Empty { path: path.to_owned() }) } else { Ok(found) }
}
