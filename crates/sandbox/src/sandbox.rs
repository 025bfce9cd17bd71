//! All parts together, linked, and the settings that point closte-sync at them.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::StartError;
use crate::closte::{self, Closte};
use crate::control::Control;
use crate::dns::{self, Dns};
use crate::issuing::Issuing;
use crate::seed::{Seed, SeedError};
use crate::web::{self, Web};

const CA_FILE: &str = "ca.pem";
const KEY_FILE: &str = "api-key";

/// Where and how the sandbox starts. By default: free ports on 127.0.0.1, one DNS server, certificates at once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The stand-in for the host.
    pub closte: closte::Settings,
    /// The DNS servers; the first is the one that issuing uses.
    pub dns: Vec<dns::Settings>,
    /// The web server.
    pub web: web::Settings,
    /// Where the control API listens; port 0 takes a free one.
    pub control: SocketAddr,
    /// How long a certificate takes once alias and DNS are right.
    pub issue_after: Duration,
    /// Where the CA's certificate and the key are written; a temporary folder, when absent.
    pub folder: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            closte: closte::Settings::default(),
            dns: vec![dns::Settings::default()],
            web: web::Settings::default(),
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            issue_after: Duration::ZERO,
            folder: None,
        }
    }
}

/// A part that can be killed and revived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The stand-in for the host.
    Closte,
    /// All DNS servers.
    Dns,
    /// The web server.
    Web,
}

/// A running sandbox. It stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    parts: Arc<Parts>,
    control: Control,
    folder: Folder,
}

/// What the sandbox and its control API share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) closte: Closte,
    pub(crate) dns: Vec<Dns>,
    pub(crate) web: Web,
    pub(crate) issuing: Arc<Issuing>,
}

impl Sandbox {
    /// Start everything.
    ///
    /// # Errors
    ///
    /// It cannot listen at an address, or the folder cannot be written.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let control_address = settings.control;
        let folder = Folder::open(settings.folder.clone())?;
        let parts = Arc::new(Parts::start(settings).await?);
        folder.write(CA_FILE, &parts.web.ca_pem())?;
        folder.write(KEY_FILE, parts.closte.key())?;
        let control =
            Control::start(control_address, Arc::clone(&parts), settings_env(&parts, &folder))
                .await?;
        Ok(Self { parts, control, folder })
    }

    /// The stand-in for the host.
    pub fn closte(&self) -> &Closte {
        &self.parts.closte
    }

    /// The first DNS server: the one that issuing uses.
    pub fn dns(&self) -> &Dns {
        &self.parts.dns[0]
    }

    /// All DNS servers.
    pub fn dns_servers(&self) -> &[Dns] {
        &self.parts.dns
    }

    /// The web server.
    pub fn web(&self) -> &Web {
        &self.parts.web
    }

    /// The base of the host's client API, such as `http://127.0.0.1:4711/api/client`.
    pub fn api_url(&self) -> String {
        self.closte().api_url()
    }

    /// Where the first DNS server listens.
    pub fn dns_addr(&self) -> SocketAddr {
        self.dns().address()
    }

    /// Where the web server listens for https first.
    pub fn web_addr(&self) -> SocketAddr {
        self.web().https_address()
    }

    /// The port for https.
    pub fn https_port(&self) -> u16 {
        self.web().https_port()
    }

    /// The certificate of the sandbox's CA.
    pub fn ca_pem(&self) -> String {
        self.web().ca_pem()
    }

    /// The file with the certificate of the sandbox's CA.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.file(CA_FILE)
    }

    /// The file with the key that the stand-in accepts.
    pub fn key_file(&self) -> PathBuf {
        self.folder.file(KEY_FILE)
    }

    /// The base of the control API.
    pub fn control_url(&self) -> String {
        self.control.url()
    }

    /// Do the step on the dashboard that the certificate of this wildcard needs.
    pub fn finish_wildcard(&self, name: &str) {
        self.parts.issuing.finish_wildcard(name);
    }

    /// Change how long a certificate takes once alias and DNS are right.
    pub fn issue_after(&self, after: Duration) {
        self.parts.issuing.set_after(after);
    }

    /// Set up what the seed names, in addition to what is there.
    ///
    /// # Errors
    ///
    /// The seed names more DNS servers than there are; then nothing is set up.
    pub fn sow(&self, seed: Seed) -> Result<(), SeedError> {
        self.parts.sow(seed)
    }

    /// Make a part stop answering.
    pub fn kill(&self, part: Part) {
        self.parts.kill(part);
    }

    /// Make a part answer again.
    pub fn revive(&self, part: Part) {
        self.parts.revive(part);
    }

    /// The settings of closte-sync, by their names in the environment, that point it here.
    pub fn settings_env(&self) -> Vec<(String, String)> {
        settings_env(&self.parts, &self.folder)
    }

    /// Stop, and wait until all ports are free.
    pub async fn shutdown(self) {
        self.control.stopped().await;
        self.parts.stopped().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The control API shares the parts and may outlive this by a moment: stop them now.
        self.parts.stop();
    }
}

impl Parts {
    async fn start(settings: Settings) -> Result<Self, StartError> {
        let closte = Closte::start(settings.closte).await?;
        let mut dns = Vec::new();
        for server in settings.dns {
            dns.push(Dns::start(server).await?);
        }
        let Some(first) = dns.first() else { return Err(StartError::NoDnsServer) };
        let addresses: BTreeSet<_> = settings.web.addresses.iter().copied().collect();
        let after = settings.issue_after;
        let issuing = Issuing::new(closte.shared(), first.shared(), addresses, after);
        let issuing = Arc::new(issuing);
        let web = Web::linked(settings.web, Arc::clone(&issuing)).await?;
        Ok(Self { closte, dns, web, issuing })
    }

    pub(crate) fn kill(&self, part: Part) {
        match part {
            Part::Closte => self.closte.kill(),
            Part::Dns => self.dns.iter().for_each(Dns::kill),
            Part::Web => self.web.kill(),
        }
    }

    pub(crate) fn revive(&self, part: Part) {
        match part {
            Part::Closte => self.closte.revive(),
            Part::Dns => self.dns.iter().for_each(Dns::revive),
            Part::Web => self.web.revive(),
        }
    }

    fn stop(&self) {
        self.closte.stop();
        self.dns.iter().for_each(Dns::stop);
        self.web.stop();
    }

    async fn stopped(&self) {
        self.stop();
        self.closte.stopped().await;
        for server in &self.dns {
            server.stopped().await;
        }
        self.web.stopped().await;
    }
}

fn settings_env(parts: &Parts, folder: &Folder) -> Vec<(String, String)> {
    let joined = |items: Vec<String>| items.join(",");
    let settings = [
        ("CLOSTE_API_URL", parts.closte.api_url()),
        ("CLOSTE_API_KEY_FILE", folder.file(KEY_FILE).display().to_string()),
        (
            "CHECKS_RESOLVERS",
            joined(parts.dns.iter().map(|dns| dns.address().to_string()).collect()),
        ),
        // It has no root servers: whoever looks for them finds a closed port, and never the real ones.
        ("CHECKS_ROOTS", "127.0.0.1:1".to_owned()),
        ("CHECKS_TARGETS", joined(parts.web.addresses().iter().map(ToString::to_string).collect())),
        ("CHECKS_HTTPS_PORT", parts.web.https_port().to_string()),
        ("CHECKS_TRUSTED_CA", folder.file(CA_FILE).display().to_string()),
        ("CHECKS_ALLOW_PRIVATE", "true".to_owned()),
    ];
    settings.map(|(name, value)| (format!("CLOSTE_SYNC_{name}"), value)).into()
}

/// The folder for files of closte-sync; a temporary one is deleted with the sandbox.
#[derive(Debug)]
enum Folder {
    Given(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Folder {
    fn open(given: Option<PathBuf>) -> Result<Self, StartError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| StartError::Folder { path, source }
        };
        match given {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(failed(&path))?;
                Ok(Self::Given(path))
            }
            None => tempfile::tempdir().map(Self::Temporary).map_err(failed(&std::env::temp_dir())),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Given(path) => path.join(name),
            Self::Temporary(folder) => folder.path().join(name),
        }
    }

    /// Write a file that only its owner may read: one of them contains a key.
    fn write(&self, name: &str, content: &str) -> Result<(), StartError> {
        let path = self.file(name);
        let opened =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        opened
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .map_err(|source| StartError::Folder { path, source })
    }
}
