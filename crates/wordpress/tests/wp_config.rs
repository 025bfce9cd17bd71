//! wp-config.php as found in the wild: what is known, and what is not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use wordpress::WpConfig;
use wordpress::wp_config::{Found, Position, Setting, Unsettled, WpConfigError};

fn found() -> Found {
    Found { config: PathBuf::from("/srv/www/wp-config.php"), root: Some("/srv/www".into()) }
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: impl AsRef<[u8]>) -> Result<WpConfig, WpConfigError> {
    WpConfig::parse(text.as_ref(), &found(), &env(&[("DB_FROM_ENV", "e"), ("STAGE", "prod")]))
}

fn php(body: &str) -> WpConfig {
    parse(format!("<?php\n{body}\n")).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// `DB_NAME` as one line: its value, why it is unknown, or `-`.
fn db_name(body: &str) -> String {
    shown(&php(body).db_name)
}

fn shown<T: ToString>(setting: &Setting<T>) -> String {
    match setting {
        Setting::Known(value) => value.to_string(),
        Setting::Unknown(why) => format!("? {why}"),
        Setting::Absent => "-".to_owned(),
    }
}

#[test]
fn a_constant_is_read_however_it_is_written() {
    let table = [
        (r"define('DB_NAME', 'x');", "x"),
        (r#"define("DB_NAME", "x");"#, "x"),
        ("DEFINE (  'DB_NAME'\n,\n'x'  ) ;", "x"),
        (r"\define('DB_NAME', 'x');", "x"),
        ("@define('DB_NAME', 'x');", "x"),
        ("define('DB_' . 'NAME', 'x');", "x"),
        ("define('DB_NAME', 'x', true);", "x"),
        ("const DB_NAME = 'x';", "x"),
        ("const A = 'x', DB_NAME = A . 'y';", "xy"),
        (r"define('DB_NAME', 'it\'s \n \\');", r"it's \n \"),
        (r#"define('DB_NAME', "\x41\102\u{43}\$d\t");"#, "ABC$d\t"),
        (r"$a = 'w'; define('DB_NAME', $a . '_x');", "w_x"),
        (r#"$a = 'w'; define('DB_NAME', "${a}-{$a}-$a");"#, "w-w-w"),
        (r"define('A', 'w'); define('DB_NAME', A . '_' . constant('A'));", "w_w"),
        ("$a = 'x'; $a .= 'y'; $b = $a; define('DB_NAME', ($b));", "xy"),
        ("define('DB_NAME', 12);", "12"),
        ("define('DB_NAME', <<<EOT\n  x\n  EOT);", "x"),
        ("define('DB_NAME', <<<'EOT'\n$x\nEOT\n);", "$x"),
        ("$p = 'w'; define('DB_NAME', <<<\"EOT\"\n    {$p}_x\n    EOT);", "w_x"),
        ("define('DB_NAME', __DIR__ . '/x');", "/srv/www/x"),
        ("define('DB_NAME', dirname(__FILE__) . '/x');", "/srv/www/x"),
        ("define('DB_NAME', dirname(__DIR__, 2));", "/"),
        ("define('DB_NAME', basename(__DIR__) ?: 'x');", "www"),
        ("define('DB_NAME', ABSPATH);", "/srv/www/"),
    ];
    for (body, want) in table {
        assert_eq!(db_name(body), want, "{body}");
    }
}

#[test]
fn the_environment_is_asked_as_php_would() {
    let table = [
        ("define('DB_NAME', getenv('DB_FROM_ENV'));", "e"),
        ("define('DB_NAME', getenv('DB_FROM_ENV') ?: 'y');", "e"),
        ("define('DB_NAME', getenv('UNSET') ?: 'y');", "y"),
        ("define('DB_NAME', getenv('UNSET') ? getenv('UNSET') : 'y');", "y"),
        (
            "define('DB_NAME', getenv('UNSET') ?? 'y');",
            "? cannot be used (line 2): it is not a text; if it comes from the environment, set that variable here too",
        ),
        ("define('DB_NAME', (string) getenv('DB_FROM_ENV'));", "e"),
        ("define('DB_NAME', $_ENV['X'] ?? 'y');", "y"),
        ("define('DB_NAME', isset($_SERVER['X']) ? 'x' : 'y');", "y"),
        (
            "define('DB_NAME', $_SERVER['HTTP_HOST'] ?? 'y');",
            "? is only known when PHP runs (line 2: `$_SERVER['HTTP_HOST']`)",
        ),
        ("define('DB_NAME', getenv('STAGE') === 'prod' ? 'live' : 'test');", "live"),
        (
            "if (getenv('STAGE') == 'dev') { define('DB_NAME', 'a'); } else { define('DB_NAME', 'b'); }",
            "b",
        ),
        (
            "if (getenv('STAGE') != 'prod') : define('DB_NAME', 'a'); else: define('DB_NAME', 'b'); endif;",
            "b",
        ),
        ("if (false !== ($n = getenv('DB_FROM_ENV'))) { define('DB_NAME', $n); }", "e"),
    ];
    for (body, want) in table {
        assert_eq!(db_name(body), want, "{body}");
    }
}

#[test]
fn the_first_definition_wins() {
    let table = [
        ("define('DB_NAME', 'x'); define('DB_NAME', 'y');", "x"),
        ("if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }", "x"),
        ("define('DB_NAME', 'x'); if (!defined('DB_NAME')) define('DB_NAME', 'y');", "x"),
        ("defined('DB_NAME') || define('DB_NAME', 'x');", "x"),
        ("defined('DB_NAME') or define('DB_NAME', 'x');", "x"),
        ("define('DB_NAME', 'x') || die();", "x"),
        ("!defined('DB_NAME') && define('DB_NAME', 'x');", "x"),
        ("define('DB_NAME', 'x'); defined('DB_NAME') || define('DB_NAME', 'y');", "x"),
        ("defined('ABSPATH') || exit; define('DB_NAME', 'x');", "x"),
        ("if (!defined('ABSPATH')) { exit; } define('DB_NAME', 'x');", "x"),
        ("define('DB_NAME', 'x'); exit; define('DB_USER', 'y');", "x"),
        ("return; define('DB_NAME', 'x');", "-"),
        ("if (true) return; define('DB_NAME', 'x');", "-"),
    ];
    for (body, want) in table {
        assert_eq!(db_name(body), want, "{body}");
    }
}

#[test]
fn what_is_no_definition_defines_nothing() {
    let table = [
        "// define('DB_NAME', 'x');",
        "# define('DB_NAME', 'x');",
        "/* define('DB_NAME', 'x'); */",
        "/** define('DB_NAME', 'x'); */",
        r#"$a = "define('DB_NAME', 'x');";"#,
        "?> define('DB_NAME', 'x'); <?php",
        "function f() { define('DB_NAME', 'x'); }",
        "class A { const DB_NAME = 'x'; }",
        "$f = function () { define('DB_NAME', 'x'); };",
        "if (false) { define('DB_NAME', 'x'); }",
        "Foo::define('DB_NAME', 'x');",
        "$x->define('DB_NAME', 'x');",
        "define('db_name', 'x');",
    ];
    for body in table {
        assert_eq!(db_name(body), "-", "{body}");
    }
}

#[test]
fn what_only_php_knows_is_named_and_never_guessed() {
    let table = [
        ("define('DB_NAME', secret_name());", "line 2: function call `secret_name`"),
        ("define('DB_NAME', 'a' . f() . 'b');", "line 2: function call `f`"),
        ("define('DB_NAME', $nowhere);", "line 2: `$nowhere` is not set in this file"),
        ("define('DB_NAME', NOWHERE);", "line 2: `NOWHERE` is not defined in this file"),
        ("if (f())\n{ define('DB_NAME', 'x'); }", "line 2: function call `f`"),
        (
            "if (f()) define('DB_NAME', 'x');\nelse define('DB_NAME', 'y');",
            "line 2: function call `f`",
        ),
        ("if (f()) define('DB_NAME', 'x');\ndefine('DB_NAME', 'y');", "line 2: function call `f`"),
        ("f() && define('DB_NAME', 'x');", "line 2: function call `f`"),
        ("$a = 'x';\nif (f()) $a = 'y';\ndefine('DB_NAME', $a);", "line 3: function call `f`"),
        ("$a = 'x'; while (f()) { $a = 'y'; }\ndefine('DB_NAME', $a);", "line 2: loop"),
        ("foreach ($all as $n)\n define('DB_NAME', 'x');", "line 2: loop"),
        ("switch (f()) { case 1: define('DB_NAME', 'x'); }", "line 2: `switch`"),
        ("try { define('DB_NAME', 'x'); } catch (E $e) {}", "line 2: `try`"),
        ("$a = ['n' => f()];\ndefine('DB_NAME', $a['n']);", "line 2: function call `f`"),
        ("$a = 'x'; $b = &$a;\ndefine('DB_NAME', $a);", "line 2: reference or array"),
        ("$a = 'x'; extract($b);\ndefine('DB_NAME', $a);", "line 2: function call `extract`"),
        ("$a = 'x'; eval($code);\ndefine('DB_NAME', $a);", "line 2: `eval`"),
        (
            "require __DIR__ . '/local.php';\nif (!defined('DB_NAME')) define('DB_NAME', 'x');",
            "line 2: `/srv/www/local.php` is read, and it is not there",
        ),
        ("$a = 'x'; [$a] = f();\ndefine('DB_NAME', $a);", "line 2: reference or array"),
        ("$a = 1; $a++; define('DB_NAME', $a);", "line 2: arithmetic"),
        ("define('DB_NAME', 1 / 3);", "line 2: arithmetic"),
        (
            "?>text<? define('DB_NAME', 'x'); ?><?php\nif (!defined('DB_NAME')) define('DB_NAME', 'y');",
            "line 2: a short open tag, `<?`",
        ),
    ];
    for (body, why) in table {
        assert_eq!(db_name(body), format!("? is only known when PHP runs ({why})"), "{body}");
    }
}

#[test]
fn what_may_be_defined_by_what_cannot_be_followed_is_never_said_to_be_missing() {
    let unsettled = |body: &str| {
        let config = php(body);
        let error = config.require("DB_NAME", &config.db_name).unwrap_err();
        (error.to_string(), error.hint())
    };
    let url = "define it as a plain text in wp-config.php, or set `network.database_url`";
    let table = [
        (
            "require_once dirname(__DIR__) . '/secrets.php';\nrequire_once ABSPATH . 'wp-settings.php';",
            "may be defined by what cannot be followed (line 2: `/srv/secrets.php` is read, and it is not there), in",
        ),
        (
            "require $where;",
            "may be defined by what cannot be followed (line 2: `$where` is read, and its path is only known when PHP runs), in",
        ),
        (
            "foreach ($all as $name => $value) define($name, $value);",
            "may be defined by what cannot be followed (line 2: `define` of a computed name), in",
        ),
        ("define('DB_NAME', f());", "is only known when PHP runs (line 2: function call `f`), in"),
        ("define('DB_USER', 'x');", "is not defined in"),
    ];
    for (body, want) in table {
        let want = (format!("`DB_NAME` {want} `/srv/www/wp-config.php`"), url);
        assert_eq!(unsettled(body), want, "{body}");
    }
}

/// The example of WordPress itself, with what a network on Closte adds.
const WHOLE: &str = r#"<?php
/**
 * The base configuration. define( 'DB_NAME', 'database_name_here' );
 */
define( 'DB_NAME', "shop\$1" );
define( 'DB_USER', 'shop' );
define( 'DB_PASSWORD', 'p\'a"ss\\word' );
define( 'DB_HOST', 'mysql.cluster:3307' );
define( 'DB_CHARSET', 'utf8mb4' );
define('AUTH_KEY',  'put $your {unique} "phrase" here');
define('AUTH_SALT', '-| salt');
$table_prefix = 'wp_x7_';
define( 'WP_DEBUG', false );
define( 'WP_ALLOW_MULTISITE', true );
define( 'MULTISITE', true );
define( 'SUBDOMAIN_INSTALL', true );
define( 'DOMAIN_CURRENT_SITE', 'network.example' );
define( 'PATH_CURRENT_SITE', '/' );
define( 'SITE_ID_CURRENT_SITE', 1 );
define( 'BLOG_ID_CURRENT_SITE', 1 );
define( 'CLOSTE_CLIENT_API_KEY', 'key-very-secret' );
define( 'CLOSTE_APP_ID', 12345 );
define( 'CLOSTE_PUBLIC_IP_ADDRESS', '192.0.2.7' );
define( 'CLOSTE_CDN_HOSTNAME', 'abc.cdn.example' );
/* That's all, stop editing! */
if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
"#;

#[test]
fn a_whole_file_is_read_with_any_line_ends_and_a_bom() {
    let bom = format!("\u{feff}{WHOLE}");
    for text in [WHOLE.to_owned(), WHOLE.replace('\n', "\r\n"), bom] {
        let config = parse(text).unwrap();
        assert_eq!(shown(&config.db_name), "shop$1");
        assert_eq!(config.db_password.known().unwrap().expose_secret(), r#"p'a"ss\word"#);
        assert_eq!(config.db_host.known().unwrap().routes()[0].to_string(), "mysql.cluster:3307");
        assert_eq!(shown(&config.table_prefix), "wp_x7_");
        assert_eq!(shown(&config.multisite), "true");
        assert_eq!(shown(&config.site_id_current_site), "1");
        assert_eq!(shown(&config.closte_app_id), "12345");
        assert_eq!(shown(&config.closte_public_ip_address), "192.0.2.7");
        assert_eq!(shown(&config.db_engine), "-");
        assert!(config.not_followed.is_empty(), "wp-settings.php is known");
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    let shown = format!("{:?}", parse(WHOLE).unwrap());
    for secret in ["p'a", "key-very-secret", "put $your", "-| salt"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_salt_is_the_one_that_wordpress_takes() {
    let sample = "put your unique phrase here";
    let table = [
        ("define('AUTH_KEY', 'a');".to_owned(), "a"),
        ("define('AUTH_KEY', 'a'); define('SECRET_KEY', 's');".into(), "a"),
        (format!("define('AUTH_KEY', '{sample}');"), "-"),
        (format!("define('AUTH_KEY', '{sample}'); define('SECRET_KEY', 's');"), "s"),
        ("define('AUTH_KEY', '');".into(), "-"),
        ("define('AUTH_KEY', '0'); define('SECRET_KEY', '0');".into(), "-"),
        ("define('AUTH_KEY', 'mot'); define('NONCE_SALT', 'mot');".into(), "-"),
        (
            "define('AUTH_KEY', 'a'); define('NONCE_SALT', 'n'); define('NONCE_KEY', 'n');".into(),
            "a",
        ),
        ("define('AUTH_KEY', 'a'); define('SECRET_KEY', 'a');".into(), "-"),
        ("define('NONCE_KEY', 'n');".into(), "-"),
    ];
    for (body, key) in table {
        let config = php(&body);
        let found = config.auth_key.known().map_or("-", |it| it.expose_secret());
        assert_eq!(found, key, "{body}");
        assert!(
            config.auth_key.unknown().is_none() && config.auth_salt.known().is_none(),
            "{body}"
        );
    }
    let config = php("define('AUTH_KEY', f()); define('SECRET_KEY', 's');");
    assert!(config.auth_key.unknown().is_some(), "it may well be a secret");
}

#[test]
fn a_value_that_makes_no_sense_says_so_with_its_line() {
    let config = php(
        "$table_prefix = 'wp-'; define('DB_HOST', 'db:port'); define('SITE_ID_CURRENT_SITE', 'one');",
    );
    assert_eq!(
        shown(&config.table_prefix),
        "? cannot be used (line 2): `wp-` is not a table prefix: only up to 64 letters, digits and underscores are"
    );
    let host = config.db_host.unknown().unwrap().to_string();
    assert_eq!(host, "cannot be used (line 2): `db:port` is not a database host");
    assert!(config.site_id_current_site.unknown().is_some());
}

#[test]
fn latin_1_harms_only_the_value_that_holds_it() {
    let text = b"<?php // caf\xe9\ndefine('DB_NAME', 'x');\ndefine('DB_PASSWORD', 'p\xe9');\ndefine('DB_USER', \"\\xe9\");";
    let config = parse(text).unwrap();
    assert_eq!(shown(&config.db_name), "x");
    assert!(matches!(
        config.db_password,
        Setting::Unknown(Unsettled::NotText { at: Position { line: 3, .. } })
    ));
    assert!(matches!(
        config.db_user,
        Setting::Unknown(Unsettled::NotText { at: Position { line: 4, .. } })
    ));
    let error = config.require("DB_PASSWORD", &config.db_password).unwrap_err().to_string();
    assert!(
        error.starts_with("`DB_PASSWORD` contains bytes that are not UTF-8 (line 3)"),
        "{error}"
    );
}

#[test]
fn what_is_no_wp_config_is_a_clear_error() {
    // A byte of a multiplication's middle: every value occurs, in no order.
    let garbage: Vec<u8> =
        (0..1_u32 << 20).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let php_garbage = [b"<?php ".as_slice(), &garbage[..500_000]].concat();
    let table: [(&str, Vec<u8>, &str); 10] = [
        ("empty", Vec::new(), "is not a PHP file"),
        ("text", b"DB_NAME=x".to_vec(), "is not a PHP file"),
        ("a short tag", b"<? define('DB_NAME', 'x');".to_vec(), "uses the short open tag `<?`"),
        ("XML", b"<?xml version='1.0'?>".to_vec(), "is not a PHP file"),
        ("html", b"<html><body>403</body></html>".to_vec(), "is not a PHP file"),
        ("garbage", garbage, "is not"),
        ("garbage in PHP", php_garbage, "is not valid PHP (line "),
        ("too large", vec![b' '; (1 << 20) + 1], "is larger than 1 MiB"),
        ("unterminated", b"<?php\ndefine('DB_NAME', 'x".to_vec(), "is not valid PHP (line 2: "),
        ("half a line", b"<?php\ndefine('DB_NAME',".to_vec(), "is not valid PHP (line 2: "),
    ];
    for (shows, text, want) in table {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with("`/srv/www/wp-config.php` "), "{shows}: {error}");
        assert!(error.contains(want), "{shows}: {error}");
    }
}

#[test]
fn deep_and_long_expressions_neither_crash_nor_hang() {
    let parens = format!("{}'x'{}", "(".repeat(60_000), ")".repeat(60_000));
    let error = parse(format!("<?php\ndefine('DB_NAME', {parens});")).unwrap_err();
    assert!(error.to_string().contains("is not valid PHP (line 2: "), "{error}");

    let chain = "'a' . ".repeat(100_000);
    let long = format!("define('DB_NAME', {chain} 'a');");
    assert_eq!(db_name(&long), "? is only known when PHP runs (line 2: very long expression)");

    let doubled = "$a = 'a';".to_owned() + &"$a .= $a;\n".repeat(2_000) + "define('DB_NAME', $a);";
    assert!(db_name(&doubled).ends_with("very long text)"));

    let coalesced = format!("define('DB_NAME', {}$x{});", "(".repeat(150), " ?? 'y')".repeat(150));
    assert_eq!(db_name(&coalesced), "y");

    let ifs = "if (f()) { ".repeat(5_000) + &"}".repeat(5_000);
    assert!(parse(format!("<?php {ifs}")).is_err());
    let elses = "if (f()) {} ".to_owned() + &"else if (f()) {} ".repeat(5_000);
    _ = parse(format!("<?php {elses}"));
}

#[test]
fn no_pattern_repeated_many_times_crashes_or_hangs() {
    let patterns = [
        "(",
        "[",
        "{",
        "!",
        "-",
        "@",
        "'a'.",
        "\"{$a[",
        "f(",
        "$a[0]",
        "$a->b",
        "$a ?? ",
        "$a ? 1 : ",
        "(int)",
        "new ",
        "fn() => ",
        "function() {",
        "if (1) ",
        "while (1) ",
        "/*",
        "#[",
        "match(1) {",
        "$$",
        "=",
        "$a = ",
        "1 + ",
        "<?php ",
        "?>",
        "namespace A {",
        "class A {",
        "static fn() =>",
        "define('A', ",
        "yield ",
        "require ",
        "else ",
        "1 ** ",
        "&$a",
        "list(",
        "\\a",
        "\"$a[",
        "throw ",
        "print ",
        "clone ",
        "include ",
    ];
    for pattern in patterns {
        let body = pattern.repeat(50_000 / pattern.len());
        for start in ["", "define('DB_NAME', ", "define('DB_NAME', $a"] {
            _ = parse(format!("<?php {start}{body}"));
            _ = parse(format!("<?php {start}{body}1);"));
        }
    }
}

#[test]
fn the_object_cache_is_seen_where_the_content_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join("wp-content")).unwrap();
    std::fs::create_dir_all(root.join("content")).unwrap();
    std::fs::write(root.join("wp-load.php"), "").unwrap();
    let has_cache = |text: &str| {
        std::fs::write(root.join("wp-config.php"), format!("<?php {text}")).unwrap();
        WpConfig::load(&Found::at(&root), &BTreeMap::new()).unwrap().object_cache
    };
    assert!(!has_cache(""));
    std::fs::write(root.join("wp-content/object-cache.php"), "").unwrap();
    assert!(has_cache(""));
    assert!(!has_cache("define('WP_CONTENT_DIR', __DIR__ . '/content');"));
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let missing = Found { config: "/nowhere/wp-config.php".into(), root: None };
    let error = WpConfig::load(&missing, &BTreeMap::new()).unwrap_err();
    assert_eq!(error.to_string(), "could not read `/nowhere/wp-config.php`");
}
