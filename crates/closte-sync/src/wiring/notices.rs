//! Who is told outside: the receivers of the settings, and the secret that webhooks are signed with.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::Failure;
use notify::{Command, NotReady, Program, Secret, Webhook};
use rules::notice::Receiver;
use secrecy::ExposeSecret;
use wordpress::plugin::Mails;

use super::{NetworkAccess, Wiring, secret_text};
use crate::clock::SystemClock;
use crate::config::Mail;

/// systemd's credential with the secret, and the name of our file.
const CREDENTIAL: &str = "webhook-secret";

/// What of our environment a command gets.
const ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"];

impl Wiring<'_> {
    /// Everybody who is told, each by a name of its own.
    pub(crate) fn receivers(&self, access: &NetworkAccess) -> Vec<Arc<dyn Receiver>> {
        let mut receivers = self.webhooks();
        if !self.settings.command.is_empty() {
            let words = self.settings.command.clone();
            let program = Program { words, environment: self.environment_of_commands() };
            receivers.push(Arc::new(Command::new(program)));
        }
        receivers.extend(self.mail(access));
        receivers
    }

    fn webhooks(&self) -> Vec<Arc<dyn Receiver>> {
        let mut receivers: Vec<Arc<dyn Receiver>> = Vec::new();
        if self.settings.webhooks.is_empty() {
            return receivers;
        }
        // A pass goes on without it, and what is told waits.
        let secret = self.webhook_secret().map_err(|failure| failure.in_one_line().0);
        for url in &self.settings.webhooks {
            let shown = url.base().to_string();
            let same = receivers.iter().filter(|it| it.name().split(' ').next() == Some(&shown));
            let name = match same.count() {
                0 => shown,
                others => format!("{shown} ({})", others + 1),
            };
            receivers.push(match &secret {
                Ok(Some(secret)) => {
                    let (url, secret) = (url.clone(), secret.clone());
                    Arc::new(Webhook::new(name, url, secret, Arc::new(SystemClock)))
                }
                Ok(None) => {
                    let why = "there is no secret to sign with; run `closte-sync notify secret`";
                    Arc::new(NotReady::new(name, why))
                }
                Err(why) => Arc::new(NotReady::new(name, why.clone())),
            });
        }
        receivers
    }

    /// WordPress' own mail, where that is wanted.
    fn mail(&self, access: &NetworkAccess) -> Option<Arc<dyn Receiver>> {
        let is_wanted = match self.settings.mail {
            Mail::On => true,
            Mail::Off => false,
            Mail::Auto => self.is_started_by_plugin(),
        };
        if !is_wanted {
            return None;
        }
        let Some(plugin) = &access.plugin else {
            let none = access.no_plugin.as_deref();
            let why = none.unwrap_or("there is no way to the plugin in WordPress");
            let receiver = NotReady::new(Mails::NAME, why);
            // The pass that the plugin waits for has a way.
            let comes = self.is_started_by_plugin();
            return Some(Arc::new(if comes { receiver.elsewhere() } else { receiver }));
        };
        Some(Arc::new(Mails(Arc::clone(plugin))))
    }

    fn is_started_by_plugin(&self) -> bool {
        self.caller.is_plugin || self.caller.pipes.is_some()
    }

    fn environment_of_commands(&self) -> BTreeMap<String, String> {
        let variable =
            |name: &str| Some((name.to_owned(), self.environment.value(name)?.to_owned()));
        ENVIRONMENT.into_iter().filter_map(variable).collect()
    }

    /// The file with the secret of webhooks.
    fn webhook_secret_file(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.settings.webhook_secret_file {
            return Ok(path.clone());
        }
        match self.environment.credential(CREDENTIAL) {
            Some(path) => Ok(path),
            None => self.beside_ledger(CREDENTIAL),
        }
    }

    /// The secret; none where none was made yet.
    fn webhook_secret(&self) -> Result<Option<Secret>, Failure> {
        let path = self.webhook_secret_file()?;
        if !path.exists() {
            return Ok(None);
        }
        let hint = "check `notify.webhook_secret_file`";
        let text = secret_text(&path, "the secret of webhooks", hint)?;
        Secret::parse(text.expose_secret()).map(Some).map_err(|error| {
            Failure::could_not(format!("`{}`: {error}", path.display())).hint(hint)
        })
    }

    /// Make the secret of webhooks where there is none; where it is, and whether it is new.
    pub(crate) fn make_webhook_secret(&self) -> Result<(PathBuf, bool), Failure> {
        let path = self.webhook_secret_file()?;
        if self.webhook_secret()?.is_some() {
            return Ok((path, false));
        }
        let secret = Secret::generate().map_err(|error| {
            Failure::could_not(format!("the system gives no random numbers: {error}"))
        })?;
        write_new(&path, secret.to_text().expose_secret()).map_err(|error| {
            Failure::could_not(format!("could not write `{}`: {error}", path.display()))
                .hint("check `notify.webhook_secret_file` and the rights of its folder")
        })?;
        Ok((path, true))
    }
}

/// Write a file that nobody else may read, and that was not there.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    // What is there in part would be no secret, and no room for one.
    written.inspect_err(|error| {
        if error.kind() != ErrorKind::AlreadyExists {
            _ = fs::remove_file(path);
        }
    })
}
