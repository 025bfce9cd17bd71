//! A network whose plugin carries an engine: a script in its place, that notes how it is started
//! and does what a test says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::pages::PAGE;
use crate::world::{Admin, World, hex};

/// How long something that nobody waits for may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Notes each start, then answers `where` with `where.json` (after `where.php`), or runs
/// `attached.php` or `detached.php`.
/// A pass that is told nothing ends well, and says when the next is due.
const ENGINE: &str = r#"#!/usr/bin/env php
<?php
$note = ['arguments' => array_slice($argv, 1), 'environment' => getenv(), 'folder' => getcwd()];
file_put_contents(__DIR__ . '/starts.log', json_encode($note) . "\n", FILE_APPEND | LOCK_EX);

function say(array $line): void {
	fwrite(STDOUT, json_encode($line) . "\n");
}

function call(string $name, $body = new stdClass()): array {
	say(['call' => $name, 'body' => $body]);
	$answer = json_decode(fgets(STDIN), true);
	file_put_contents(__DIR__ . '/answers.log', json_encode($answer) . "\n", FILE_APPEND);
	return $answer;
}

function finish(array $end = []): void {
	say(['end' => $end + ['exit' => 0, 'told' => '', 'error' => null, 'busy' => false, 'cpu_ms' => 120, 'peak_kb' => 23000]]);
	exit($end['exit'] ?? 0);
}

/** Writes into the database when the next pass is due, as the engine does. */
function due_in(int $seconds): void {
	global $argv;
	$config = file_get_contents($argv[array_search('--wp-config', $argv) + 1]);
	$is = static function (string $name) use ($config): string {
		preg_match("/define\('$name', '((?:\\\\.|[^'\\\\])*)'\)/", $config, $found);
		return stripslashes($found[1]);
	};
	$socket = explode(':', $is('DB_HOST'), 2)[1];
	$database = new mysqli('localhost', $is('DB_USER'), $is('DB_PASSWORD'), $is('DB_NAME'), 0, $socket);
	$next = time() + $seconds;
	$database->query("DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_next'");
	$database->query("INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'closte_sync_next', '$next')");
}

if (in_array('where', $argv, true)) {
	if (is_file(__DIR__ . '/where.php')) {
		require __DIR__ . '/where.php';
	}
	$where = json_decode(file_get_contents(__DIR__ . '/where.json'), true);
	echo json_encode($where, JSON_PRETTY_PRINT), "\n";
	exit($where['problem'] === null ? 0 : 1);
}
$is_attached = in_array('--attached', $argv, true);
$script = __DIR__ . ($is_attached ? '/attached.php' : '/detached.php');
if (is_file($script)) {
	require $script;
	exit;
}
due_in(900);
if ($is_attached) {
	finish();
}
"#;

/// So that no test waits for long, and to see who asks the database for what of ours, and which
/// mails go.
const WATCHED: &str = r"<?php
add_filter('closte_sync_limits', static fn() => ['look' => 5, 'pass' => 2, 'kill' => 1]);
add_filter('pre_wp_mail', static function ($none, array $mail) {
	$is_sent = !is_file(WP_CONTENT_DIR . '/no-mail');
	$is_forbidden = is_file(WP_CONTENT_DIR . '/mail-is-forbidden');
	$is_sent = $is_sent && !$is_forbidden;
	file_put_contents(WP_CONTENT_DIR . '/mail.log', json_encode([$is_sent] + $mail) . PHP_EOL, FILE_APPEND);
	if ($is_forbidden) {
		// What WordPress ends with where disable_functions forbids it.
		throw new Error('Call to undefined function mail()');
	}
	return $is_sent;
}, 20, 2);
if (is_file(WP_CONTENT_DIR . '/count-queries')) {
	add_filter('query', static function (string $query): string {
		if (str_contains($query, 'wp_sitemeta') && str_contains($query, 'closte_sync_')) {
			file_put_contents(WP_CONTENT_DIR . '/queries.log', $query . PHP_EOL, FILE_APPEND);
		}
		return $query;
	});
}
";

/// The world, and where its engine is.
pub(crate) struct Carrying {
    pub(crate) world: World,
}

impl Carrying {
    /// An engine that can run, on a network that was heard of and where no pass is due.
    pub(crate) fn new() -> Self {
        let carrying = Self::unknown();
        carrying.world.heard();
        carrying.due_in(3600);
        carrying.be_examined();
        assert!(carrying.is_able(), "{}", carrying.world.read_option("closte_sync_carried"));
        carrying.forget_starts();
        carrying
    }

    /// The same, but that nobody has looked at it yet, nor has it been heard of.
    pub(crate) fn unknown() -> Self {
        let world = World::new();
        let carrying = Self { world };
        fs::create_dir_all(carrying.bin("")).unwrap();
        carrying.put_engine();
        carrying.says_of_itself(&json!({}));
        let watched = carrying.world.wordpress.root().join("wp-content/mu-plugins/watched.php");
        fs::write(watched, WATCHED).unwrap();
        carrying
    }

    /// Have WordPress look at the engine as for a visitor.
    pub(crate) fn be_examined(&self) {
        let page = Admin::of(&self.world).page(PAGE);
        assert_eq!(page.status, 200, "{page:?}");
    }

    /// Put the engine in place as WordPress unpacks it: two updates are never in the same second.
    pub(crate) fn put_engine(&self) {
        static UPDATES: AtomicU64 = AtomicU64::new(1_000_000_000);
        fs::write(self.bin("closte-sync"), ENGINE).unwrap();
        let at = Duration::from_secs(UPDATES.fetch_add(1, Ordering::Relaxed));
        let file = fs::File::options().append(true).open(self.bin("closte-sync")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + at).unwrap();
        fs::set_permissions(self.bin("closte-sync"), fs::Permissions::from_mode(0o644)).unwrap();
        let digest = hex(&Sha256::digest(ENGINE.as_bytes()));
        fs::write(self.bin("closte-sync.sha256"), format!("{digest}  closte-sync\n")).unwrap();
    }

    /// What `where` answers, but for what is usual.
    pub(crate) fn says_of_itself(&self, unusual: &Value) {
        let ledger = self.ledger_folder().join("ledger.db");
        let mut said = json!({
            "engine": env!("CARGO_PKG_VERSION"), "wp_config": "/any", "settings": [], "ledger": ledger,
            "ledger_url": format!("sqlite://{}", ledger.display()), "problem": null, "hint": null,
        });
        let said_of = said.as_object_mut().unwrap();
        said_of.extend(unusual.as_object().unwrap().clone());
        fs::write(self.bin("where.json"), said.to_string()).unwrap();
    }

    pub(crate) fn ledger_folder(&self) -> PathBuf {
        self.world.wordpress.root().parent().unwrap().join("state/closte-sync")
    }

    /// What an attached pass does, in PHP.
    pub(crate) fn attached(&self, code: &str) {
        fs::write(self.bin("attached.php"), format!("<?php {code}")).unwrap();
    }

    /// What a detached pass does, in PHP.
    pub(crate) fn detached(&self, code: &str) {
        fs::write(self.bin("detached.php"), format!("<?php {code}")).unwrap();
    }

    pub(crate) fn bin(&self, name: &str) -> PathBuf {
        self.world.wordpress.plugin_folder().join("bin").join(name)
    }

    pub(crate) fn is_able(&self) -> bool {
        self.world.wordpress.php("echo (int) Closte_Sync\\Carried::is_able();") == "1"
    }

    /// When the next pass is due, in seconds from now.
    pub(crate) fn due_in(&self, seconds: i64) {
        self.world
            .option("closte_sync_next", &format!("CAST(UNIX_TIMESTAMP() + {seconds} AS CHAR)"));
    }

    /// In how many seconds the next pass is due.
    pub(crate) fn next(&self) -> i64 {
        let next = self.world.read_option("closte_sync_next");
        let next: i64 = next.as_str().unwrap_or_else(|| panic!("{next}")).parse().unwrap();
        next - i64::try_from(crate::world::now()).unwrap()
    }

    /// How passes went.
    pub(crate) fn runs(&self) -> Value {
        self.world.kept("closte_sync_runs")
    }

    /// Have WP-Cron of the main site run, which makes a pass where one is due.
    pub(crate) fn cron(&self) {
        assert_eq!(self.world.cron("network.example").status, 200);
        assert_eq!(self.world.complaints(), Vec::<String>::new());
    }

    /// How the engine was started for passes, in order.
    pub(crate) fn starts(&self) -> Vec<Value> {
        let starts = Self::lines(self.bin("starts.log"));
        let starts = starts.iter().map(|line| serde_json::from_str(line).unwrap());
        starts
            .filter(|it: &Value| it["arguments"].as_array().unwrap().contains(&json!("sync")))
            .collect()
    }

    pub(crate) fn forget_starts(&self) {
        _ = fs::remove_file(self.bin("starts.log"));
    }

    /// The starts, once there are so many.
    #[track_caller]
    pub(crate) fn wait_for_starts(&self, count: usize) -> Vec<Value> {
        self.wait(|| self.starts().len() >= count);
        self.starts()
    }

    /// Wait for something that nobody else waits for.
    #[track_caller]
    pub(crate) fn wait(&self, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < PATIENCE, "it did not come: {:?}", self.starts());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The mails: whether each was sent, its subject and its text.
    pub(crate) fn mails(&self) -> Vec<(bool, String, String)> {
        let mails = Self::lines(self.world.wordpress.root().join("wp-content/mail.log"));
        let text = |mail: &Value, name: &str| mail[name].as_str().unwrap().to_owned();
        let mails = mails.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        mails
            .filter(|mail| text(mail, "subject").contains("closte-sync"))
            .map(|mail| (mail["0"] == true, text(&mail, "subject"), text(&mail, "message")))
            .collect()
    }

    /// The texts of our notices in the network admin.
    pub(crate) fn notices(&self) -> Vec<String> {
        let texts = self.world.wordpress.php("echo json_encode(Closte_Sync\\Notices::texts());");
        serde_json::from_str(&texts).unwrap()
    }

    /// Put a file into `wp-content`, which the watching plugin looks for.
    pub(crate) fn flag(&self, name: &str) -> PathBuf {
        let path = self.world.wordpress.root().join("wp-content").join(name);
        fs::write(&path, "").unwrap();
        path
    }

    pub(crate) fn lines(path: PathBuf) -> Vec<String> {
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
