//! A network behind nginx and PHP-FPM, and who visits it.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use testkit::mariadb::{Database, MariaDb};
use testkit::wordpress::{Browser, Fpm, Listen, Nginx, UltimateMultisite, WordPress};

/// WordPress writes its files itself, as on hosts.
const CONSTANTS: [(&str, &str); 1] = [("FS_METHOD", "direct")];

/// A network with a stand-in for Ultimate Multisite, served.
pub(crate) struct World {
    pub(crate) wordpress: WordPress,
    pub(crate) database: Database<'static>,
    pub(crate) server: Nginx,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new(listen: Listen) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("public_html");
        let database = MariaDb::shared().fresh_database();
        let wordpress = WordPress::copy(&database, &root, &CONSTANTS);
        wordpress.add_ultimate_multisite(UltimateMultisite::Registry);
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let server = wordpress.serve_by_nginx(Fpm::new(listen, &home));
        Self { wordpress, database, server, folder }
    }

    /// A browser of the network's admin.
    pub(crate) fn browser(&self) -> Browser {
        let browser = self.stranger();
        browser.log_in();
        browser
    }

    /// A browser of somebody who has no account.
    pub(crate) fn stranger(&self) -> Browser {
        Browser::open(self.server.address())
    }

    /// A file of the test, beside the document root.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Put a script beside WordPress.
    pub(crate) fn script(&self, name: &str, code: &str) {
        fs::write(self.wordpress.root().join(name), format!("<?php {code}")).unwrap();
    }

    /// What is answered under a name of the network.
    pub(crate) fn get(&self, host: &str, path: &str) -> String {
        self.server.get(host, path)
    }

    /// What the plugin wrote into PHP's log.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.server.php_log();
        log.lines().filter(|line| line.contains("closte-sync")).map(str::to_owned).collect()
    }
}
