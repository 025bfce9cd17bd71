//! The secret shared with the plugin: where we keep it, and how both sides come
//! to have the same.
//!
//! Our file is the one that counts: what the network holds is made like it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rules::ledger::Ledger;
use rules::source::PluginOption;
use secrecy::ExposeSecret;
use tempfile::NamedTempFile;
use wordpress::options;
use wordpress::signature::Secret;

use super::{NetworkAccess, Wiring, secret_text};
use engine::Failure;
use engine::ops::refuse_not_ours;

/// systemd's credential with the secret.
const CREDENTIAL: &str = "plugin-secret";

/// Whether both sides have the same secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// They have.
    Same,
    /// They have not.
    Different,
    /// WordPress has none.
    NoneThere,
    /// We have none.
    NoneHere,
}

impl Wiring<'_> {
    /// A file in the folder of the ledger.
    pub(crate) fn beside_ledger(&self, name: &str) -> Result<PathBuf, Failure> {
        let file = self.ledger_path()?.file().to_owned();
        Ok(file.parent().map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
    }

    /// The file that the plugin touches where it can.
    pub(crate) fn nudge_file(&self) -> Result<PathBuf, Failure> {
        let file = self.ledger_path()?.file().to_owned();
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".nudge");
        Ok(file.with_file_name(name))
    }

    /// The file with the secret.
    pub(crate) fn secret_file(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.settings.plugin_secret_file {
            return Ok(path.clone());
        }
        match self.environment.credential(CREDENTIAL) {
            Some(path) => Ok(path),
            None => self.beside_ledger(CREDENTIAL),
        }
    }

    /// The secret; none where none was made yet.
    pub(crate) fn secret(&self) -> Result<Option<Secret>, Failure> {
        let path = self.secret_file()?;
        if !path.exists() {
            return Ok(None);
        }
        let text = secret_text(&path, "the plugin's secret", "check `plugin.secret_file`")?;
        Secret::parse(text.expose_secret()).map(Some).map_err(|error| {
            let what =
                format!("`{}` does not contain the plugin's secret: {error}", path.display());
            Failure::could_not(what).hint("delete it and run `closte-sync plugin install`")
        })
    }

    /// The secret, made where there is none yet.
    pub(crate) fn own_secret(&self) -> Result<Secret, Failure> {
        if let Some(secret) = self.secret()? {
            return Ok(secret);
        }
        let secret = new_secret()?;
        self.keep(&secret)?;
        Ok(secret)
    }

    /// Give the network our secret, made now or before.
    pub(crate) async fn share_secret(&self, access: &NetworkAccess) -> Result<(), Failure> {
        let secret = self.own_secret()?;
        if self.agreement(access).await? != Agreement::Same {
            give(&secret, access).await?;
        }
        Ok(())
    }

    /// The same at a pass that the plugin started, with the `ledger` whose lock we have; whether
    /// anything was to do. The installation that acts keeps the secret that it has.
    pub(crate) async fn share_secret_of_ours(
        &self,
        access: &NetworkAccess,
        ledger: &dyn Ledger,
    ) -> Result<bool, Failure> {
        let has_files = access.wp.is_some();
        if !self.caller.is_plugin || !has_files || self.agreement(access).await? == Agreement::Same
        {
            return Ok(false);
        }
        let network = access.source.read().await?;
        if refuse_not_ours(&network, Some(ledger)).await.is_err() {
            return Ok(false);
        }
        self.share_secret(access).await?;
        Ok(true)
    }

    /// Make a new secret for both sides.
    ///
    /// WordPress gets it first: our file is written last, as a whole, so that
    /// whatever happens in between `plugin install` mends by it.
    pub(crate) async fn rotate_secret(&self, access: &NetworkAccess) -> Result<(), Failure> {
        let nothing =
            || Failure::no("there is no secret to exchange").hint("`closte-sync plugin install`");
        self.secret()?.ok_or_else(nothing)?;
        let secret = new_secret()?;
        // What can fail on our side is done before the other side changes.
        let file = self.written(&secret)?;
        match &access.plugin {
            _ if access.wp.is_some() => {
                give(&secret, access).await?;
            }
            Some(plugin) => plugin.write_secret(&secret).await?,
            None => return Err(nothing()),
        }
        self.put(file)
    }

    /// Delete our file; whether there was one.
    pub(crate) fn forget_secret(&self) -> Result<bool, Failure> {
        let path = self.secret_file()?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(not_written(&path, &error)),
        }
    }

    /// Whether the network's option holds what our file does.
    pub(crate) async fn agreement(&self, access: &NetworkAccess) -> Result<Agreement, Failure> {
        let Some(ours) = self.secret()? else { return Ok(Agreement::NoneHere) };
        let stored = access.source.options(&[options::SECRET]).await?;
        Ok(match stored.get(options::SECRET) {
            None => Agreement::NoneThere,
            Some(theirs) if theirs == ours.to_hex().expose_secret().as_bytes() => Agreement::Same,
            Some(_) => Agreement::Different,
        })
    }

    /// Write our file, whole and for our eyes only.
    fn keep(&self, secret: &Secret) -> Result<(), Failure> {
        self.put(self.written(secret)?)
    }

    /// `secret` in a file beside ours, of mode 0600.
    fn written(&self, secret: &Secret) -> Result<NamedTempFile, Failure> {
        let path = self.secret_file()?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = NamedTempFile::new_in(folder)?;
            writeln!(file, "{}", secret.to_hex().expose_secret())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        write().map_err(|error| not_written(&path, &error))
    }

    /// Let `file` be ours from now on.
    fn put(&self, file: NamedTempFile) -> Result<(), Failure> {
        let path = self.secret_file()?;
        file.persist(&path).map(drop).map_err(|error| not_written(&path, &error.error))
    }
}

/// Write the network's option.
async fn give(secret: &Secret, access: &NetworkAccess) -> Result<(), Failure> {
    let secret = secret.to_hex();
    let option = PluginOption::Secret(secret.expose_secret());
    Ok(access.source.write_plugin_option(option).await?)
}

fn new_secret() -> Result<Secret, Failure> {
    Secret::generate()
        .map_err(|error| Failure::could_not(format!("the system gives no random numbers: {error}")))
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::could_not(format!("could not write `{}`: {error}", path.display()))
        .hint("check `plugin.secret_file` and the rights of its folder")
}
