//! wp-config.php files that PHP evaluates beside us: every value is equal, or named unknown with its
//! place; never different.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use wordpress::WpConfig;
use wordpress::wp_config::{Found, Setting};

/// What PHP has after it read the file.
const DUMP: &str = r"<?php
define('ABSPATH', $argv[1] . '/');
require $argv[1] . '/wp-config.php';
$all = ['table_prefix' => $table_prefix ?? null];
foreach (['DB_NAME', 'DB_USER', 'CLOSTE_APP_ID', 'DB_CHARSET', 'MULTISITE'] as $name) {
    $all[$name] = defined($name) ? constant($name) : null;
}
echo json_encode(array_map(fn($it) => is_bool($it) || $it === null ? $it : (string) $it, $all));
";

/// The environment of PHP, and what we are told of it.
const ENV: [(&str, &str); 6] = [
    ("STAGE", "prod"),
    ("DB_FROM_ENV", "e"),
    ("EMPTY", ""),
    ("DATABASE_URL", "mysql://wp_user:s3cret@db.example:3307/wp_main?charset=utf8mb4"),
    ("WORDPRESS_DB_NAME", "docker_db"),
    ("WORDPRESS_DB_USER_FILE", "{root}/secrets/user"),
];

/// A file beside the wp-config.php that a case may use.
const FILES: [(&str, &str); 32] = [
    ("inc.php", "<?php define('DB_NAME', 'inc'); $from_inc = 'v'; $table_prefix = 'inc_';"),
    ("returns.php", "<?php return ['name' => 'ret', 'list' => ['a', 'b']];"),
    ("nested.php", "<?php require __DIR__ . '/inc.php'; define('DB_USER', basename(__FILE__));"),
    ("guarded.php", "<?php if (!defined('ABSPATH')) { return; } define('DB_USER', 'g');"),
    ("maybe.php", "<?php if (time() % 2 > 5) { return; } define('DB_USER', 'm');"),
    ("loop.php", "<?php include_once __DIR__ . '/loop.php'; define('DB_USER', 'loop');"),
    ("bad.php", "<?php if ("),
    ("plain.html", "no code"),
    (
        "functions.php",
        "<?php function set_it() { define('DB_NAME', 'set'); } class Loader { static function go() { define('DB_USER', 'go'); } }",
    ),
    ("computed.php", "<?php function set_any($n) { define($n, 'any'); }"),
    (
        "waf.php",
        "<?php class Waf { private $rules = []; function run() { define('WAF_RUNS', 1); return $this; } } (new Waf())->run();",
    ),
    ("exits.php", "<?php if (false) { exit; } define('DB_USER', 'x');"),
    (".env", "DBN=from_env\n"),
    ("shared/linked.php", "<?php define('DB_USER', basename(__DIR__)); "),
    (
        "autoload.php",
        "<?php spl_autoload_register(function ($c) { require __DIR__ . \"/$c.php\"; });",
    ),
    (
        "Auto.php",
        "<?php define('DB_NAME', 'auto'); class Auto { const NAME = 'auto'; static function go() {} }",
    ),
    ("closure.php", "<?php return function () { define('DB_NAME', 'closure'); };"),
    ("named.php", "<?php function named_twice() { return 'inc'; }"),
    ("halt.php", "<?php define('DB_USER', 'h'); __halt_compiler(); rest"),
    ("c1.php", "<?php include __DIR__ . '/c2.php';"),
    ("c2.php", "<?php include __DIR__ . '/c3.php';"),
    ("c3.php", "<?php include __DIR__ . '/c4.php';"),
    ("c4.php", "<?php include __DIR__ . '/c5.php';"),
    ("c5.php", "<?php include __DIR__ . '/c6.php';"),
    ("c6.php", "<?php include __DIR__ . '/c7.php';"),
    ("c7.php", "<?php include __DIR__ . '/c8.php';"),
    ("c8.php", "<?php define('DB_NAME', 'eighth');"),
    ("j.php", "<?php define('DB_NAME', 'j');"),
    ("sub/j.php", "<?php define('DB_NAME', 'subj');"),
    ("sub/reads_j.php", "<?php require 'j.php';"),
    ("secrets/user", "docker_user\n"),
    ("sub/deep.php", "<?php define('DB_USER', basename(dirname(__FILE__)));"),
];

/// One case a line: the names that are unknown to us, and the body of the file.
#[rustfmt::skip]
const CASES: [(&str, &str); 172] = [
    ("", r"define('DB_NAME', 'x');"),
    ("", r#"define("DB_NAME", "x");"#),
    ("", r"DEFINE (  'DB_NAME'  ,  'x'  ) ;"),
    ("", r"\define('DB_NAME', 'x');"),
    ("", r"@define('DB_NAME', 'x');"),
    ("", r"define('DB_' . 'NAME', 'x');"),
    ("", r"const DB_NAME = 'x';"),
    ("", r"const A = 'x', DB_NAME = A . 'y';"),
    ("", r"define('DB_NAME', 'it\'s \n \\');"),
    ("", r#"define('DB_NAME', "\x41\102\u{43}\$d\t");"#),
    ("", r"$a = 'w'; define('DB_NAME', $a . '_x');"),
    ("", r#"$a = 'w'; define('DB_NAME', "{$a}-$a");"#),
    ("", r"define('A', 'w'); define('DB_NAME', A . '_' . constant('A'));"),
    ("", r"$a = 'x'; $a .= 'y'; $b = $a; define('DB_NAME', ($b));"),
    ("", r"define('DB_NAME', 12);"),
    ("", r"define('DB_NAME', 60 * 60 + 1 - 2);"),
    ("", r"define('DB_NAME', __DIR__ . '/x');"),
    ("", r"define('DB_NAME', dirname(__FILE__) . '/x');"),
    ("", r"define('DB_NAME', dirname(__DIR__, 2));"),
    ("", r"define('DB_NAME', ABSPATH); define('DB_USER', __LINE__);"),
    ("", r"define('DB_NAME', basename('/a/b.php', '.php') . basename('/a/b/'));"),
    ("", r"define('DB_NAME', 'x'); define('DB_NAME', 'y');"),
    ("", r"if (!defined('DB_NAME')) { define('DB_NAME', 'x'); } defined('DB_NAME') || define('DB_NAME', 'y');"),
    ("", r"define('DB_NAME', getenv('DB_FROM_ENV'));"),
    ("", r"define('DB_NAME', getenv('UNSET') ?: 'y');"),
    ("", r"define('DB_NAME', getenv('UNSET'));"),
    ("", r"define('DB_NAME', getenv('EMPTY') ?: 'y');"),
    ("", r"define('DB_NAME', $_ENV['DB_FROM_ENV']);"),
    ("", r"define('DB_NAME', $_ENV['UNSET'] ?? 'y');"),
    ("", r"define('DB_NAME', isset($_ENV['STAGE']) ? $_ENV['STAGE'] : 'y');"),
    ("", r"define('DB_NAME', $_SERVER['DB_FROM_ENV'] ?? 'y');"),
    ("", r"define('DB_NAME', isset($_SERVER['UNSET']) ? 'x' : 'y');"),
    ("", r"define('DB_NAME', $_SERVER['AUTH_KEY'] ?? 'y');"),
    ("", r"define('DB_NAME', empty($_ENV['EMPTY']) ? 'x' : 'y');"),
    ("DB_NAME", r"define('DB_NAME', isset($_SERVER['HTTP_HOST']) ? 'x' : 'y');"),
    ("DB_NAME", r"define('DB_NAME', $_SERVER['REQUEST_TIME']);"),
    ("", r"$_SERVER['HTTPS'] = 'on'; $_ENV['STAGE'] = 'dev'; define('DB_NAME', $_ENV['STAGE']);"),
    ("", r"putenv('STAGE=test'); define('DB_NAME', getenv('STAGE'));"),
    ("", r"if (getenv('STAGE') === 'prod') { define('DB_NAME', 'live'); } else { define('DB_NAME', 'test'); }"),
    ("", r"if (getenv('STAGE') == 'dev') : define('DB_NAME', 'a'); elseif (getenv('STAGE') == 'prod') : define('DB_NAME', 'b'); endif;"),
    ("", r"switch (getenv('STAGE')) { case 'dev': define('DB_NAME', 'd'); break; case 'prod': define('DB_NAME', 'p'); default: define('DB_USER', 'u'); }"),
    ("", r"switch ('none') { case 'dev': define('DB_NAME', 'd'); break; default: define('DB_NAME', 'other'); }"),
    ("", r"define('DB_NAME', match (getenv('STAGE')) { 'dev' => 'd', 'prod', 'live' => 'p', default => 'x' });"),
    ("", r"define('DB_NAME', sprintf('%s_%d-%2$s%%', 'wp', 7));"),
    ("", r#"define('DB_NAME', trim("  a b\n") . '|' . rtrim('x//', '/') . '|' . ltrim('00x', '0'));"#),
    ("", r"define('DB_NAME', str_replace('.', '_', 'a.b.c') . str_replace(['a', 'b'], ['1'], 'abc') . str_replace(['x', 'y'], '-', 'xyz'));"),
    ("", r"define('DB_NAME', strtolower('ABC') . strtoupper('def') . ucfirst('gh'));"),
    ("", r"define('DB_NAME', implode('-', ['a', 1, true, null]) . implode(',', explode('.', 'x.y')));"),
    ("", r"define('DB_NAME', substr('abcdef', 1, 3) . substr('abcdef', -2) . substr('abcdef', 2, -1));"),
    ("", r"define('DB_NAME', strlen('abc') . count([1, 2]) . strpos('abc', 'c'));"),
    ("", r"define('DB_NAME', strpos('abc', 'z') === false ? 'no' : 'yes');"),
    ("", r"if (strpos(getenv('STAGE'), 'pro') !== false) { define('DB_NAME', 'live'); }"),
    ("", r"define('DB_NAME', in_array('b', ['a', 'b'], true) ? 'in' : 'out');"),
    ("", r"define('DB_NAME', in_array('z', ['a', 'b']) ? 'in' : 'out');"),
    ("", r"$u = parse_url(getenv('DATABASE_URL')); define('DB_NAME', ltrim($u['path'], '/')); define('DB_USER', $u['user']); define('DB_CHARSET', $u['port']);"),
    ("", r"define('DB_NAME', parse_url('https://a.example:8080/x?y=1#z', PHP_URL_HOST)); define('DB_USER', parse_url('https://a.example/p', PHP_URL_PATH));"),
    ("", r"define('DB_NAME', parse_url('https://a.example', PHP_URL_PATH) ?? 'none');"),
    ("", r"$c = ['name' => 'x', 'user' => ['deep' => 'y'], 3, '5' => 'five']; define('DB_NAME', $c['name'] . $c[0] . $c[5]); define('DB_USER', $c['user']['deep']);"),
    ("", r"$c = []; $c['a'] = 'x'; $c[] = 'y'; define('DB_NAME', $c['a'] . $c[0]);"),
    ("", r"$c = ['a' => 'x']; define('DB_NAME', $c['b'] ?? 'fallback'); define('DB_USER', isset($c['a'], $c['b']) ? 'both' : 'one');"),
    ("", r"foreach (['DB_NAME' => 'x', 'DB_USER' => 'y'] as $k => $v) { define($k, $v); }"),
    ("", r"foreach (['DB_NAME', 'DB_USER'] as $k) { if ($k === 'DB_USER') { continue; } define($k, strtolower($k)); }"),
    ("", r"foreach (['a', 'b', 'c'] as $v) { if ($v === 'b') { break; } } define('DB_NAME', $v);"),
    ("", r"$all = []; foreach (['x', 'y'] as $i => $v) { $all[] = $i . $v; } define('DB_NAME', implode($all));"),
    ("DB_NAME", r"foreach (['DB_NAME'] as $k) { if (time() > 5) { continue; } define($k, 'x'); }"),
    ("DB_USER", r"foreach (['DB_USER', 'x'] as $k) { if (time() < 5) { break; } define($k, 'x'); } define('DB_NAME', 'after');"),
    ("", r"(function () { define('DB_NAME', 'closure'); $table_prefix = 'local_'; })();"),
    ("", r"$v = 'used'; (function ($a) use ($v) { define('DB_NAME', $a . $v); })('a');"),
    ("", r"$v = 'g'; (static function () { global $v; $v = 'changed'; })(); define('DB_NAME', $v);"),
    ("", r"define('DB_NAME', (function () { return 'r'; })());"),
    ("", r"define('DB_NAME', (fn () => 'arrow')());"),
    ("", r"call_user_func(function () { define('DB_NAME', 'cuf'); });"),
    ("", r"function pick($a, $b = 'd') { if ($a) { return $a; } return $b; } define('DB_NAME', pick('')); define('DB_USER', pick('x', 'y'));"),
    ("", r"define('DB_NAME', later()); function later() { return 'hoisted'; }"),
    ("", r"if (!function_exists('env_or')) { function env_or($n, $d) { $v = getenv($n); return $v === false ? $d : $v; } } define('DB_NAME', env_or('STAGE', 'x')); define('DB_USER', env_or('UNSET', 'x'));"),
    ("", r#"if (!function_exists('getenv_docker')) { function getenv_docker($env, $default) { if ($fileEnv = getenv($env . '_FILE')) { return rtrim(file_get_contents($fileEnv), "\r\n"); } else if (($val = getenv($env)) !== false) { return $val; } else { return $default; } } } define('DB_NAME', getenv_docker('WORDPRESS_DB_NAME', 'wordpress')); define('DB_USER', getenv_docker('WORDPRESS_DB_USER', 'example')); define('DB_CHARSET', getenv_docker('WORDPRESS_DB_CHARSET', 'utf8mb4')); $table_prefix = getenv_docker('WORDPRESS_TABLE_PREFIX', 'wp_'); if ($configExtra = getenv_docker('WORDPRESS_CONFIG_EXTRA', '')) { eval($configExtra); }"#),
    ("", r#"eval("define('DB_NAME', 'evaled');");"#),
    ("DB_NAME", r"function maybe($a) { if (time() < 5) { return 'early'; } return $a; } define('DB_NAME', maybe('x'));"),
    ("", r"function f($n) { return $n === 0 ? 'end' : f($n - 1); } define('DB_NAME', f(5));"),
    ("", r"$table_prefix = 'wp_';"),
    ("", r"$GLOBALS['table_prefix'] = 'glob_'; define('DB_NAME', $GLOBALS['table_prefix']);"),
    ("", r"$table_prefix  = getenv('STAGE') . '_'; unset($x);"),
    ("", r"require __DIR__ . '/inc.php'; define('DB_USER', $from_inc);"),
    ("", r"require_once 'inc.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'main'); }"),
    ("", r"include '{root}/missing.php'; define('DB_NAME', 'x');"),
    ("", r"@include __DIR__ . '/missing.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"$c = require '{root}/returns.php'; define('DB_NAME', $c['name']); define('DB_USER', $c['list'][1]);"),
    ("", r"require '{root}/nested.php';"),
    ("", r"require '{root}/guarded.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("DB_USER", r"require '{root}/maybe.php'; define('DB_NAME', 'x');"),
    ("", r"include '{root}/loop.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"include '{root}/plain.html'; if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"include '{root}/exits.php'; define('DB_NAME', 'x');"),
    ("", r"include '{root}/sub/deep.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"include_once '{root}/inc.php'; include_once '{root}/inc.php'; define('DB_USER', $table_prefix);"),
    ("", r"if (file_exists('{root}/inc.php')) { include_once('{root}/inc.php'); } if (!defined('DB_USER')) { define('DB_USER', 'x'); }"),
    ("", r"if (file_exists('{root}/aios-bootstrap.php')) { include_once('{root}/aios-bootstrap.php'); } if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"if (is_readable(__DIR__ . '/inc.php') && is_file(__DIR__ . '/inc.php') && is_dir(__DIR__ . '/sub') && !is_dir(__DIR__ . '/inc.php')) { define('DB_NAME', 'disk'); }"),
    ("", r"if (file_exists(dirname(__FILE__) . '/local-config.php')) { include(dirname(__FILE__) . '/local-config.php'); } else { define('DB_NAME', 'live'); }"),
    ("", r"if (file_exists('{root}/waf.php')) { include_once '{root}/waf.php'; } if (!defined('DB_NAME')) { define('DB_NAME', 'x'); } define('DB_USER', 'y');"),
    ("DB_NAME DB_USER", r"require '{root}/functions.php'; set_it(); if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("DB_NAME DB_USER", r"require '{root}/functions.php'; Loader::go(); if (!defined('DB_USER')) { define('DB_USER', 'x'); }"),
    ("DB_NAME DB_USER table_prefix", r"require '{root}/computed.php'; set_any('DB_NAME'); if (!defined('DB_USER')) { define('DB_USER', 'x'); } if (!defined('DB_NAME')) { define('DB_NAME', 'x'); }"),
    ("", r"require '{root}/functions.php'; define('DB_NAME', 'x'); define('DB_USER', 'not called');"),
    ("DB_NAME", r"define('DB_NAME', date('Y'));"),
    ("DB_NAME", r"define('DB_NAME', 'x' . rand(1, 9));"),
    ("DB_NAME", r"if (time() > 5) { define('DB_NAME', 'x'); }"),
    ("DB_NAME", r"define('DB_NAME', md5('x'));"),
    ("", r"define('MULTISITE', true); define('CLOSTE_APP_ID', '1234'); define('DB_NAME', 'x');"),
    ("", r"define('MULTISITE', false); define('DB_NAME', MULTISITE ? 'many' : 'one');"),
    ("", r"define('MULTISITE', 1);"),
    ("", r"$a = null; define('DB_NAME', $a ?? 'null'); define('DB_USER', $never ?? 'unset');"),
    ("", r"$a ??= 'first'; $a ??= 'second'; define('DB_NAME', $a);"),
    ("", r"define('DB_NAME', true ? 'a' : 'b'); define('DB_USER', '' ?: '0' ?: 'last');"),
    ("", r"define('DB_NAME', (string) 5 . (int) '7' . (bool) 'x');"),
    ("", r"ini_set('display_errors', 0); error_reporting(0); @ini_set('x', 'y'); define('DB_NAME', 'x');"),
    ("", r"register_shutdown_function(function () { define('DB_USER', 'late'); }); define('DB_NAME', 'x');"),
    ("", r"$x = ['b', 'a']; sort($x); define('DB_NAME', 'y');"),
    ("DB_NAME", r"$x = ['b', 'a']; sort($x); define('DB_NAME', $x[0]);"),
    ("", r"namespace Site; const OTHER = 'x'; \define('DB_NAME', 'ns');"),
    ("", r"$list = array_merge(['a' => 'x'], ['a' => 'y', 'b' => 'z']); define('DB_NAME', $list['a'] . implode(array_keys($list)));"),
    ("DB_CHARSET", r"if (php_sapi_name() === 'never-this') { define('DB_CHARSET', 'a'); }"),
    ("DB_NAME", r"try { define('DB_NAME', 'x'); } catch (Exception $e) { }"),
    ("", r"for ($i = 0; $i < 2; $i++) { $last = $i; } define('DB_NAME', 'x');"),
    ("table_prefix", r"$v = 'table_prefix'; $$v = 'vv_'; define('DB_NAME', 'x');"),
    ("table_prefix", r"foreach (['table_prefix' => 'fe_'] as $k => $v) { $$k = $v; } define('DB_NAME', 'x');"),
    ("table_prefix", r"extract(['table_prefix' => 'ex_']); define('DB_NAME', 'x');"),
    ("table_prefix", r"function set_to(&$x) { $x = 'ref_'; } set_to($table_prefix); define('DB_NAME', 'x');"),
    ("table_prefix", r"class Setter { function __construct() { $GLOBALS['table_prefix'] = 'new_'; } } new Setter; define('DB_NAME', 'x');"),
    ("", r"$f = 'define'; $f('DB_NAME', 'x'); $g = 'strtoupper'; define('DB_USER', $g('up'));"),
    ("", r"call_user_func('define', 'DB_NAME', 'x'); define('DB_USER', call_user_func('strtolower', 'UP'));"),
    ("DB_NAME DB_USER table_prefix", r"call_user_func_array('define', ['DB_NAME', 'x']); array_map('define', ['DB_USER'], ['y']);"),
    ("DB_NAME DB_USER table_prefix", r"$c = ['DB_NAME' => 'x', 'DB_USER' => 'y']; array_walk($c, function ($v, $k) { define($k, $v); });"),
    ("DB_NAME", r"$f = function () { define('DB_NAME', 'later'); }; $f(); define('DB_USER', 'x');"),
    ("DB_NAME", r"(new class { function go() { define('DB_NAME', 'anon'); } })->go(); define('DB_USER', 'x');"),
    ("", r"$c = ['DB_NAME' => 'x']; (function () use ($c) { foreach ($c as $k => $v) { define($k, $v); } })(); define('DB_USER', 'x');"),
    ("", r"$r = json_decode(base64_decode('eyJkYXRhYmFzZSI6W3sicGF0aCI6Im1haW4iLCJwb3J0IjozMzA2LCJvbiI6dHJ1ZX1dfQ=='), true); define('DB_NAME', $r['database'][0]['path'] . $r['database'][0]['port']);"),
    ("", r"$u = parse_url('mysql://u%40x:p@h/db%2F1+'); define('DB_NAME', urldecode($u['path'])); define('DB_USER', rawurldecode($u['user']) . rawurldecode('a+%zz%4'));"),
    ("DB_NAME", r"define('DB_NAME', base64_decode('aGk gdGhlcmU='));"),
    ("DB_NAME", r"foreach (file(__DIR__ . '/.env') as $l) { putenv(trim($l)); } define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("DB_NAME", r"function load_env() { foreach (file(__DIR__ . '/.env') as $l) { putenv(trim($l)); } } load_env(); define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("DB_NAME", r"foreach (file(__DIR__ . '/.env') as $l) { [$k, $v] = explode('=', trim($l)); $_ENV[$k] = $v; } define('DB_NAME', $_ENV['DBN'] ?? 'fallback');"),
    ("DB_NAME", r"array_map('putenv', ['DBN=mapped']); define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("DB_NAME", r"putenv('DBN=' . md5('x')); define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("DB_NAME", r"$_ENV = array_merge($_ENV, ['DBN' => 'merged']); define('DB_NAME', $_ENV['DBN'] ?? 'fallback');"),
    ("DB_NAME", r"$_ENV += ['DBN' => 'added']; define('DB_NAME', $_ENV['DBN'] ?? 'fallback');"),
    ("DB_NAME", r"unset($_ENV['STAGE']); define('DB_NAME', $_ENV['STAGE'] ?? 'unset');"),
    ("DB_NAME", r"class EnvLoader { static function go() { putenv('DBN=classed'); } } EnvLoader::go(); define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("", r"class NoEnv { static function go() { } } NoEnv::go(); define('DB_NAME', getenv('DBN') ?: 'fallback');"),
    ("DB_NAME table_prefix", r"require __DIR__ . '/autoload.php'; new Auto; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME table_prefix", r"require __DIR__ . '/autoload.php'; $x = Auto::NAME; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME table_prefix", r"require __DIR__ . '/autoload.php'; Auto::go(); if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"$i = 0; while ($i < 2) { if ($i === 1) { define('DB_NAME', 'second'); } $i++; } if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"for ($i = 0; $i < 2; $i++) { if ($i === 1) { define('DB_NAME', 'second'); } } if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME DB_USER table_prefix", r"$l = 0; $d = __DIR__ . '/sub/b'; while ($l < 4) { if (file_exists($d . '/deep.php')) { require $d . '/deep.php'; break; } $d = dirname($d); $l++; } if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"Below::go(); if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); } class Below { static function go() { define('DB_NAME', 'below'); } }"),
    ("DB_NAME", r"class Called { static function go() { define('DB_NAME', 'cuf'); } } call_user_func('Called::go'); if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"class Called2 { static function go() { define('DB_NAME', 'cuf'); } } call_user_func(['Called2', 'go']); if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"(require __DIR__ . '/closure.php')(); if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME", r"require __DIR__ . '/named.php'; if (!function_exists('named_twice')) { function named_twice() { return 'main'; } } define('DB_NAME', named_twice());"),
    ("DB_NAME table_prefix", r"extract(['n' => 'ex']); define('DB_NAME', $n ?? 'fallback');"),
    ("DB_NAME", r"define('DB_NAME', defined('PHP_VERSION_ID') ? 'new' : 'old');"),
    ("", r"define('DB_NAME', defined('PHP_EOL') ? 'new' : 'old');"),
    ("DB_NAME", r"$c = ['one']; foreach ($c as &$v) { $v = 'two'; } define('DB_NAME', $c[0]);"),
    ("", r#"define('DB_NAME', implode('_', json_decode('{"b":"first","a":"second"}', true)));"#),
    ("", r"include __DIR__ . '/halt.php'; define('DB_NAME', 'after');"),
    ("", r"namespace Inner; const DB_NAME = 'inner'; \define('DB_NAME', 'global');"),
    ("", r"include __DIR__ . '/c1.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME DB_USER table_prefix", r"require __DIR__ . '/sub/reads_j.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME DB_USER table_prefix", r"set_include_path(__DIR__ . '/sub'); require 'j.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("", r"include __DIR__ . '/link.php'; if (!defined('DB_NAME')) { define('DB_NAME', 'fallback'); }"),
    ("DB_NAME DB_USER", r"goto end; define('DB_NAME', 'skipped'); end: define('DB_USER', 'x');"),
];

fn place(text: &str, root: &Path) -> String {
    text.replace("{root}", &root.display().to_string())
}

/// Every name with its value as PHP has it.
fn by_php(root: &Path, dump: &Path) -> Result<BTreeMap<String, serde_json::Value>, String> {
    let ran = Command::new("php")
        .args(["-d", "variables_order=EGPCS", "-d", "short_open_tag=0", "-d", "display_errors=0"])
        .arg(dump)
        .arg(root)
        .current_dir(root)
        .env_clear()
        .envs(ENV.map(|(name, value)| (name, place(value, root))))
        .output()
        .expect("php is installed (`./test` does that)");
    let out = String::from_utf8_lossy(&ran.stdout);
    let json = out.find('{').map_or("", |at| &out[at..]);
    serde_json::from_str(json).map_err(|_| format!("{out}{}", String::from_utf8_lossy(&ran.stderr)))
}

/// The same as we have it; in error, why it is unknown.
fn by_us(config: &WpConfig) -> BTreeMap<&'static str, Setting<String>> {
    fn text<T: ToString>(setting: &Setting<T>) -> Setting<String> {
        match setting {
            Setting::Known(value) => Setting::Known(value.to_string()),
            Setting::Unknown(why) => Setting::Unknown(why.clone()),
            Setting::Absent => Setting::Absent,
        }
    }
    BTreeMap::from([
        ("DB_NAME", text(&config.db_name)),
        ("DB_USER", text(&config.db_user)),
        ("DB_CHARSET", text(&config.db_charset)),
        ("CLOSTE_APP_ID", text(&config.closte_app_id)),
        ("MULTISITE", text(&config.multisite)),
        ("table_prefix", text(&config.table_prefix)),
    ])
}

#[test]
fn every_value_is_phps_or_named_unknown_with_its_place() {
    assert!(100 <= CASES.len(), "{}", CASES.len());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, text) in FILES {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, place(text, root)).unwrap();
    }
    std::os::unix::fs::symlink("shared/linked.php", root.join("link.php")).unwrap();
    fs::write(root.join("wp-settings.php"), "<?php").unwrap();
    let outside = tempfile::tempdir().unwrap();
    let dump = outside.path().join("dump.php");
    fs::write(&dump, DUMP).unwrap();
    let env = ENV.map(|(name, value)| (name.to_owned(), place(value, root))).into();
    let config = root.join("wp-config.php");
    let found = Found { config: config.clone(), root: Some(root.to_owned()) };
    let mut wrong = Vec::new();
    for (unknown, body) in CASES {
        let text =
            place(&format!("<?php\n{body}\nrequire_once ABSPATH . 'wp-settings.php';\n"), root);
        fs::write(&config, &text).unwrap();
        let php = match by_php(root, &dump) {
            Ok(php) => php,
            Err(said) => {
                wrong.push(format!("PHP did not run:\n{body}\n{said}"));
                continue;
            }
        };
        let ours = WpConfig::load(&found, &env).unwrap_or_else(|error| panic!("{body}: {error}"));
        let is_followed = ours.not_followed.is_empty();
        let may_be_unknown: Vec<&str> = unknown.split_whitespace().collect();
        for (name, ours) in by_us(&ours) {
            let php = &php[name];
            let is_right = match &ours {
                Setting::Known(value) => {
                    !may_be_unknown.contains(&name)
                        && match php {
                            serde_json::Value::Bool(it) => it.to_string() == *value,
                            serde_json::Value::String(it) if name == "MULTISITE" => {
                                (!matches!(it.as_str(), "" | "0")).to_string() == *value
                            }
                            serde_json::Value::String(it) => it == value,
                            _ => false,
                        }
                }
                Setting::Absent if !is_followed => php.is_null() || may_be_unknown.contains(&name),
                Setting::Absent => php.is_null() && !may_be_unknown.contains(&name),
                // A text that is true or false cannot be used.
                Setting::Unknown(why) => {
                    let says = why.to_string();
                    assert!(says.contains("line "), "{body}: {says}");
                    may_be_unknown.contains(&name) || php.is_boolean() && name != "MULTISITE"
                }
            };
            if !is_right {
                wrong.push(format!("{body}\n  {name}: PHP has {php}, we {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
