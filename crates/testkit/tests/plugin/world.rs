//! A WordPress with the plugin and a stand-in for Ultimate Multisite, and calls as an engine makes
//! them.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::mariadb::{Database, MariaDb};
use testkit::wordpress::{Server, UltimateMultisite, WordPress};

/// What both sides know.
pub(crate) const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Over HTTP, PHP also logs what a later version will not accept.
const LOUD: &str = "<?php if (PHP_SAPI === 'cli-server') { error_reporting(E_ALL); }";

/// A network with the plugin, served.
pub(crate) struct World {
    pub(crate) wordpress: WordPress,
    pub(crate) database: Database<'static>,
    pub(crate) server: Server,
    _folder: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A signed request, to be changed by a test.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl World {
    /// With an Ultimate Multisite of the newest kind.
    pub(crate) fn new() -> Self {
        Self::with(UltimateMultisite::Registry)
    }

    pub(crate) fn with(version: UltimateMultisite) -> Self {
        let world = Self::bare();
        world.wordpress.add_ultimate_multisite(version);
        world.wordpress.install_plugin();
        world.option("closte_sync_secret", &format!("'{SECRET}'"));
        world
    }

    /// A network that knows neither the plugin nor Ultimate Multisite.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("public_html");
        let database = MariaDb::shared().fresh_database();
        let wordpress = WordPress::copy(&database, &root, &[]);
        let loud = root.join("wp-content/mu-plugins/loud.php");
        std::fs::write(loud, LOUD).unwrap();
        let server = wordpress.serve();
        Self { wordpress, database, server, _folder: folder }
    }

    /// Put a value, as SQL, into one of the network's options.
    pub(crate) fn option(&self, name: &str, sql: &str) {
        self.database.execute(&format!(
            "DELETE FROM wp_sitemeta WHERE meta_key = '{name}'; \
             INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, '{name}', {sql});"
        ));
    }

    /// One of the network's options, as PHP reads it, in JSON.
    pub(crate) fn read_option(&self, name: &str) -> Value {
        let code = format!("echo json_encode(get_network_option(1, '{name}', null));");
        serde_json::from_str(&self.wordpress.php(&code)).unwrap()
    }

    /// What the engine reported, as it is stored in one of the network's options.
    pub(crate) fn kept(&self, name: &str) -> Value {
        let text = self.read_option(name);
        let text = text.as_str().unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(text.is_ascii(), "{text}");
        serde_json::from_str(text).unwrap()
    }

    /// From now on the table of the network's options refuses writes.
    pub(crate) fn break_options(&self) {
        for change in ["INSERT", "UPDATE"] {
            self.database.execute(&format!(
                "CREATE TRIGGER no_{change} BEFORE {change} ON wp_sitemeta \
                 FOR EACH ROW SIGNAL SQLSTATE '45000'"
            ));
        }
    }

    /// Map a domain by SQL; the id of the mapping.
    pub(crate) fn map(&self, domain: &str, stage: &str) -> u64 {
        let sql = format!(
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) \
             VALUES (1, '{domain}', '{stage}'); SELECT LAST_INSERT_ID();"
        );
        self.database.execute(&sql).trim().parse().unwrap()
    }

    /// `stage secure` of a mapping in the table.
    pub(crate) fn row(&self, id: u64) -> String {
        let sql = format!(
            "SELECT CONCAT(IFNULL(stage, 'NULL'), ' ', secure) FROM wp_wu_domain_mappings WHERE id = {id}"
        );
        self.database.execute(&sql).trim().to_owned()
    }

    /// Call the plugin as the engine does; what it answers to a good call.
    #[track_caller]
    pub(crate) fn call(&self, name: &str, body: &Value) -> Value {
        let answer = self.send(&Call::signed(name, body));
        assert_eq!(answer.status, 200, "{answer:?}\n{}", self.server.log());
        answer.json()
    }

    /// The `code` and status of an answer that refuses.
    #[track_caller]
    pub(crate) fn refused(&self, call: &Call) -> (u16, String) {
        let answer = self.send(call);
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    }

    pub(crate) fn send(&self, call: &Call) -> Answer {
        let mut head = format!(
            "POST /wp-json{} HTTP/1.0\r\nHost: network.example\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            call.path,
            call.body.len()
        );
        for (name, value) in &call.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        self.ask(&format!("{head}\r\n{}", call.body))
    }

    /// Get a page, not logged in.
    pub(crate) fn page(&self, path: &str) -> Answer {
        self.page_with(path, "")
    }

    pub(crate) fn page_with(&self, path: &str, cookies: &str) -> Answer {
        self.ask(&format!(
            "GET {path} HTTP/1.0\r\nHost: network.example\r\nCookie: {cookies}\r\n\r\n"
        ))
    }

    /// Have WP-Cron of a site run, as its spawner or a crontab does.
    pub(crate) fn cron(&self, host: &str) -> Answer {
        self.ask(&format!("GET /wp-cron.php?doing_wp_cron HTTP/1.0\r\nHost: {host}\r\n\r\n"))
    }

    /// What is answered to a request as it goes over the wire.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        Answer::parse(&String::from_utf8_lossy(&text))
    }

    /// A report that arrived just now.
    pub(crate) fn heard(&self) {
        self.call("report", &json!({"engine": "0.1.0", "silence": 3600}));
    }

    /// What the plugin itself wrote into PHP's log.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.server.log();
        let ours = log.lines().filter(|line| line.contains("PHP ") && line.contains("closte-sync"));
        ours.map(str::to_owned).collect()
    }
}

/// A network's admin, as a browser.
pub(crate) struct Admin<'a> {
    world: &'a World,
    cookies: String,
}

/// The first link to an action whose address contains `what`, as it is asked for.
#[track_caller]
pub(crate) fn link(page: &str, what: &str) -> String {
    let link = page.split('"').find(|it| it.contains(what) && it.contains("admin-post.php"));
    let link = link.unwrap_or_else(|| panic!("no {what} in {page}")).replace("&#038;", "&");
    link.strip_prefix("http://network.example").unwrap().to_owned()
}

impl<'a> Admin<'a> {
    /// The one who installed it.
    pub(crate) fn of(world: &'a World) -> Self {
        Self::with_id(world, "1")
    }

    /// One more.
    pub(crate) fn new(world: &'a World, name: &str) -> Self {
        let id = world.wordpress.php(&format!(
            "$id = wp_create_user('{name}', 'not-a-secret', '{name}@network.example'); \
             require_once ABSPATH . 'wp-admin/includes/ms.php'; grant_super_admin($id); echo $id;"
        ));
        Self::with_id(world, &id)
    }

    /// Somebody who has an account and may do nothing.
    pub(crate) fn customer(world: &'a World) -> Self {
        let id = world
            .wordpress
            .php("echo wp_create_user('customer', 'not-a-secret', 'c@network.example');");
        Self::with_id(world, &id)
    }

    fn with_id(world: &'a World, id: &str) -> Self {
        let cookies = world.wordpress.php(&format!(
            "$until = time() + 3600; $token = WP_Session_Tokens::get_instance({id})->create($until); \
             foreach ([AUTH_COOKIE => 'auth', LOGGED_IN_COOKIE => 'logged_in'] as $name => $scheme) {{ \
             echo $name, '=', rawurlencode(wp_generate_auth_cookie({id}, $until, $scheme, $token)), '; '; }}"
        ));
        Self { world, cookies }
    }

    pub(crate) fn page(&self, path: &str) -> Answer {
        self.world.page_with(path, &self.cookies)
    }

    /// Send the form of `page` that has a field with this value, as its button does, with more
    /// fields.
    #[track_caller]
    pub(crate) fn submit(&self, page: &Answer, value: &str, more: &str) -> Answer {
        let wanted = format!("value=\"{value}\"");
        let mut forms = page.body.split("<form ").filter_map(|it| it.split("</form>").next());
        let form = forms.find(|it| it.contains("method=\"post\"") && it.contains(&wanted));
        let form = form.unwrap_or_else(|| panic!("no form with {wanted}\n{}", page.body));
        let attribute = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!("{name}=\""))?;
            Some(rest.split('"').next()?.replace("&#038;", "&"))
        };
        let fields = form.split("<input ").filter(|it| it.starts_with("type=\"hidden\""));
        let fields = fields.filter_map(|it| {
            let value = attribute(it, "value")?.replace('/', "%2F").replace('&', "%26");
            Some(format!("{}={value}", attribute(it, "name")?))
        });
        let body = fields.chain([more.to_owned()]).collect::<Vec<_>>().join("&");
        self.post(&attribute(form, "action").expect("an address"), &body)
    }

    /// Post a form to an address of the network.
    pub(crate) fn post(&self, url: &str, body: &str) -> Answer {
        let path = url.trim_start_matches("http://network.example");
        self.world.ask(&format!(
            "POST {path} HTTP/1.0\r\nHost: network.example\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookies,
            body.len()
        ))
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer over HTTP");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Self {
            status: status.expect("a status"),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Call {
    /// A call as the engine makes it.
    pub(crate) fn signed(name: &str, body: &Value) -> Self {
        Self::signed_with(SECRET, "to-plugin", name, body, now())
    }

    pub(crate) fn signed_with(
        secret: &str,
        direction: &str,
        name: &str,
        body: &Value,
        time: u64,
    ) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let nonce = format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (path, body) = (format!("/closte-sync/v1/{name}"), body.to_string());
        let signature = signature(secret, direction, &path, &body, &time.to_string(), &nonce);
        let headers = vec![
            ("X-Closte-Sync-Time", time.to_string()),
            ("X-Closte-Sync-Nonce", nonce),
            ("X-Closte-Sync-Signature", signature),
        ];
        Self { path, body, headers }
    }
}

/// The protocol's signature of a `POST`.
pub(crate) fn signature(
    secret: &str,
    direction: &str,
    path: &str,
    body: &str,
    time: &str,
    nonce: &str,
) -> String {
    let hash = hex(&Sha256::digest(body.as_bytes()));
    let text = format!("closte-sync v1\n{direction}\nPOST\n{path}\n{hash}\n{time}\n{nonce}");
    let secret: Vec<u8> = (0..secret.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap())
        .collect();
    format!("v1={}", hex(&hmac(&secret, text.as_bytes())))
}

/// RFC 2104, for keys that are no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[expect(clippy::disallowed_methods, reason = "PHP has no clock that a test could move")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
