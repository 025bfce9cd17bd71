//! Options that WordPress and PHP read beside us: every value is equal, or an error of ours where PHP
//! makes `false` of it; never different.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rules::network::Switch;
use wordpress::options;
use wordpress::php_value::PhpValue;

/// Two values a line, in base64: an option, and what we make of it. Whether PHP makes the same of
/// both, whether the first is broken, and what Ultimate Multisite takes the switches in it for.
const READ: &str = r#"<?php
// What WordPress has in wp-includes/functions.php.
eval($argv[1]);
function is_on($value, $key) { return is_array($value) && !empty($value[$key]); }
foreach (file('php://stdin') as $line) {
    [$stored, $ours] = array_map('base64_decode', explode(' ', $line));
    $value = maybe_unserialize($stored);
    $again = @unserialize($ours);
    echo json_encode([
        'same' => serialize($value) === serialize($again),
        'broken' => $value === false && is_serialized($stored) && trim($stored) !== 'b:0;',
        'closte' => is_on($value, 'closte'),
        'mapping' => is_on($value, 'enable_domain_mapping'),
    ]), "\n";
}
"#;

#[rustfmt::skip]
const OPTIONS: &[&str] = &[
    // Whole lists, as WordPress writes them.
    r#"a:1:{s:6:"closte";b:1;}"#,
    r#"a:1:{s:6:"closte";b:0;}"#,
    r#"a:1:{s:6:"closte";s:1:"1";}"#,
    r#"a:1:{s:6:"closte";s:1:"0";}"#,
    r#"a:1:{s:6:"closte";s:0:"";}"#,
    r#"a:1:{s:6:"closte";s:3:"off";}"#,
    r#"a:1:{s:6:"closte";i:1;}"#,
    r#"a:1:{s:6:"closte";i:0;}"#,
    r#"a:1:{s:6:"closte";d:0;}"#,
    r#"a:1:{s:6:"closte";d:-0;}"#,
    r#"a:1:{s:6:"closte";d:0.5;}"#,
    r#"a:1:{s:6:"closte";N;}"#,
    r#"a:1:{s:6:"closte";a:0:{}}"#,
    r#"a:1:{s:6:"closte";a:1:{i:0;i:0;}}"#,
    r#"a:1:{s:6:"closte";O:8:"stdClass":0:{}}"#,
    r#"a:1:{s:6:"Closte";b:1;}"#,
    r#"a:1:{i:0;s:6:"closte";}"#,
    r#"a:2:{s:6:"closte";b:0;s:6:"closte";b:1;}"#,
    r#"a:2:{s:3:"ovh";b:1;s:6:"closte";b:1;}"#,
    r#"a:3:{s:18:"dns_check_interval";s:3:"300";s:21:"enable_domain_mapping";s:1:"1";s:25:"auto_create_www_subdomain";s:6:"always";}"#,
    r#"a:1:{s:21:"enable_domain_mapping";b:0;}"#,
    r#"a:1:{s:21:"enable_domain_mapping";i:1;}"#,
    // White space around, and what follows.
    " a:1:{s:6:\"closte\";b:1;}",
    "a:1:{s:6:\"closte\";b:1;}\n",
    "\r\n\t\u{b}\0a:1:{s:6:\"closte\";b:1;}\0\r\n",
    "\u{a0}a:1:{s:6:\"closte\";b:1;}",
    r#"a:1:{s:6:"closte";b:1;}garbage"#,
    r#"a:1:{s:6:"closte";b:1;}garbage;"#,
    r#"a:1:{s:6:"closte";b:1;}}"#,
    "a:1:{s:6:\"closte\";b:1;}\n\n;",
    // Spellings that PHP takes and never writes.
    r#"a:01:{s:6:"closte";b:1;}"#,
    r#"a:1:{s:006:"closte";b:1;}"#,
    r#"a:1:{S:6:"closte";b:1;}"#,
    r#"a:1:{S:6:"\63loste";b:1;}"#,
    r#"a:1:{s:6:"closte";S:1:"\30";}"#,
    r#"a:1:{s:6:"closte";i:+1;}"#,
    r#"a:1:{s:6:"closte";i:00;}"#,
    r#"a:1:{s:6:"closte";i:-007;}"#,
    r#"a:1:{s:1:"5";i:1;}"#,
    r#"a:2:{s:1:"5";i:1;i:5;i:2;}"#,
    r#"a:1:{s:2:"05";i:1;}"#,
    r#"a:1:{s:19:"9223372036854775808";i:1;}"#,
    "i:99999999999999999999;",
    "i:-99999999999999999999;",
    "d:.5;",
    "d:5.;",
    "d:1e3;",
    "d:INF;",
    "d:-INF;",
    "d:NAN;",
    // Values that are no lists.
    "", "0", "1", "N;", "b:0;", "b:1;", "i:5;", "s:0:\"\";", "s:1:\"x\";", "rubbish", "closte",
    r#"{"closte":true}"#, "null", " b:0; ", "a:", "a:0", "i:5", "s:1:\"x\"", "x:1:{}", "a;0:{}",
    // Broken ones.
    r#"a:1:{s:5:"closte";b:1;}"#,
    r#"a:1:{s:7:"closte";b:1;}"#,
    r#"a:2:{s:6:"closte";b:1;}"#,
    r#"a:0:{s:6:"closte";b:1;}"#,
    r#"a:1:{s:6:"closte";b:1}"#,
    r#"a:1:{s:6:"closte";b:2;}"#,
    r#"a:1:{s:6:"closte";i:0x1;}"#,
    r#"a:1:{s:6:"closte";d:1e;}"#,
    r#"a:1:{s:6:"closte";d:inf;}"#,
    r#"a:1:{s:6:"closte";b:1;"#,
    "a:1:{b:1;b:1;}",
    r#"a:1:{S:6:"\6gloste";b:1;}"#,
    r#"a:1:{s:6:\"closte\";b:1;}"#,
    "a:-1:{}",
    "a:99999999999999999999:{}",
    "a:1:{i:0;b:1;s:6:\"closte\";b:1;}",
    r#"O:8:"stdClass":1:{s:6:"closte";b:1;}"#,
    r#"s:6:"closte;";"#,
    // References: PHP counts every value but `R`, not the keys.
    r#"a:2:{s:1:"x";b:1;s:6:"closte";R:2;}"#,
    r#"a:2:{s:1:"x";b:0;s:6:"closte";R:2;}"#,
    r#"a:3:{s:1:"x";b:0;s:1:"y";s:2:"on";s:6:"closte";R:3;}"#,
    r#"a:3:{s:1:"x";s:1:"0";s:1:"y";R:2;s:6:"closte";R:2;}"#,
    r#"a:4:{s:1:"x";b:1;s:1:"y";R:2;s:1:"z";b:0;s:6:"closte";R:3;}"#,
    r#"a:2:{s:1:"x";a:2:{i:0;i:0;i:1;i:7;}s:6:"closte";R:4;}"#,
    r#"a:2:{s:1:"x";O:8:"stdClass":1:{s:1:"p";i:0;}s:6:"closte";R:3;}"#,
    r#"a:2:{s:1:"x";O:8:"stdClass":0:{}s:6:"closte";r:2;}"#,
    r#"a:4:{s:1:"x";O:8:"stdClass":0:{}s:1:"y";r:2;s:1:"z";b:0;s:6:"closte";R:4;}"#,
    r#"a:2:{s:18:"dns_check_interval";i:60;s:21:"enable_domain_mapping";R:2;}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";R:2;}"#,
    r#"a:2:{s:1:"x";b:1;s:6:"closte";R:02;}"#,
    r#"a:2:{s:1:"x";b:1;s:6:"closte";R:3;}"#,
    r#"a:2:{s:1:"x";b:1;s:6:"closte";R:0;}"#,
    r#"a:2:{s:1:"x";b:1;s:6:"closte";r:2;}"#,
    r#"a:1:{s:6:"closte";r:2;}"#,
    r#"a:1:{s:6:"closte";r:9;}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";r:9;}"#,
    "R:1;", "r:1;",
    // An enum and classes that PHP does not know.
    r#"a:1:{s:6:"closte";E:3:"A:B";}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";E:3:"A:B";}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";O:8:"stdClass":1:{s:1:"p";E:3:"A:B";}}"#,
    r#"E:3:"A:B";"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";O:6:"Nobody":1:{s:1:"p";i:1;}}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";O:3:"A B":0:{}}"#,
    r#"a:2:{s:6:"closte";b:1;s:1:"x";O:0:"":0:{}}"#,
];

/// Switches that PHP reads and we do not.
const NOT_READ: [&str; 5] = [
    r#"a:2:{s:1:"x";a:1:{i:0;i:1;}s:6:"closte";R:2;}"#,
    r#"a:2:{s:1:"x";O:8:"stdClass":0:{}s:6:"closte";R:2;}"#,
    r#"a:1:{s:6:"closte";R:1;}"#,
    // The first `x` is the second one by then.
    r#"a:3:{s:1:"x";b:1;s:1:"x";b:0;s:6:"closte";R:2;}"#,
    r#"a:2:{s:1:"x";s:70:"0123456789012345678901234567890123456789012345678901234567890123456789";s:6:"closte";R:2;}"#,
];

#[test]
fn options_are_read_as_wordpress_and_php_read_them() {
    let ours: Vec<_> = OPTIONS.iter().map(|it| PhpValue::of_option(it.as_bytes())).collect();
    let as_line = |(stored, ours): (&&str, &Result<PhpValue, _>)| {
        let ours = ours.as_ref().map_or_else(|_| b"b:0;".to_vec(), PhpValue::to_bytes);
        format!("{} {}\n", BASE64_STANDARD.encode(stored), BASE64_STANDARD.encode(ours))
    };
    let asked: String = OPTIONS.iter().zip(&ours).map(as_line).collect();
    let answers = php(&asked);
    assert_eq!(answers.len(), OPTIONS.len(), "an answer each");
    for ((stored, ours), php) in OPTIONS.iter().zip(&ours).zip(&answers) {
        assert_eq!(php["broken"], ours.is_err(), "{stored:?}: {ours:?}");
        assert_eq!(php["same"], true, "{stored:?}: {ours:?}");
        let mut said = Vec::new();
        let closte = options::closte(stored.as_bytes(), &mut |it| said.push(it));
        let mapping = options::settings(stored.as_bytes(), &mut |_| {}).domain_mapping;
        for (ours, php) in [(closte, &php["closte"]), (mapping, &php["mapping"])] {
            let is_unknown = ours == Switch::Unreadable;
            assert_eq!(is_unknown, !said.is_empty(), "{stored:?}: {said:?}");
            assert!(is_unknown || Switch::from(php == true) == ours, "{stored:?}: {ours:?} {php}");
            assert!(!is_unknown || php == false, "{stored:?}: PHP reads it, and we do not");
        }
    }
}

/// `enable` must end every state that it is asked to end, and cost no other integration its switch.
#[test]
fn whatever_is_there_the_switch_can_be_set_and_php_reads_it_so() {
    let with_others = r#"a:3:{s:1:"x";b:1;s:6:"closte";R:2;s:1:"y";R:2;}"#;
    let odd = [with_others, r#"a:2:{s:6:"closte";O:8:"stdClass":0:{}s:1:"x";R:2;}"#, "rubbish"];
    let options: Vec<_> = OPTIONS.iter().chain(&NOT_READ).chain(&odd).copied().collect();
    for on in [true, false] {
        let set: Vec<_> = options.iter().map(|it| options::switched(it.as_bytes(), on)).collect();
        let as_line = |set: &Vec<u8>| {
            let set = BASE64_STANDARD.encode(set);
            format!("{set} {set}\n")
        };
        let answers = php(&set.iter().map(as_line).collect::<String>());
        assert_eq!(answers.len(), options.len(), "an answer each");
        for ((stored, set), php) in options.iter().zip(&set).zip(&answers) {
            let shown = String::from_utf8_lossy(set);
            assert_eq!(
                (&php["closte"], &php["broken"]),
                (&on.into(), &false.into()),
                "{stored:?}: {shown}"
            );
            assert_eq!(options::closte(set, &mut |_| {}), on.into(), "{stored:?}: {shown}");
        }
    }
    let off = options::switched(with_others.as_bytes(), false);
    let others = r#"a:3:{s:1:"x";b:1;s:1:"y";b:1;s:6:"closte";b:0;}"#;
    assert_eq!(String::from_utf8_lossy(&off), others);
}

/// A value that is not followed is told as such, and never taken for another.
#[test]
fn a_reference_that_is_not_followed_is_unreadable() {
    for stored in NOT_READ {
        let switch = options::closte(stored.as_bytes(), &mut |_| {});
        assert_eq!(switch, Switch::Unreadable, "{stored}");
    }
}

/// What PHP says to each line.
fn php(asked: &str) -> Vec<serde_json::Value> {
    let file = "/usr/share/wordpress/wp-includes/functions.php";
    let functions = std::fs::read_to_string(file).expect("Debian's package `wordpress`");
    let of_wordpress: String = ["maybe_unserialize", "is_serialized"]
        .iter()
        .map(|name| function(&functions, name))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("read.php");
    std::fs::write(&script, READ).expect("our folder");
    let mut php = Command::new("php");
    php.arg(&script).arg(of_wordpress).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = php.spawn().expect("Debian's package `php-cli`");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(asked.as_bytes()).expect("PHP reads");
    drop(stdin);
    let output = child.wait_with_output().expect("PHP ends");
    let text = String::from_utf8(output.stdout).expect("JSON");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// One function of a PHP file in WordPress' style: it ends at a brace at the start of a line.
fn function<'a>(file: &'a str, name: &str) -> &'a str {
    let start = file.find(&format!("\nfunction {name}(")).expect(name);
    let length = file[start..].find("\n}").expect("an end") + 2;
    &file[start..start + length]
}
