//! What a test adds to its WordPress: a stand-in for Ultimate Multisite, a persistent object cache,
//! our own plugin.
//!
//! Nothing of it is there unless a test asks for it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::WordPress;

/// Our plugin, as WordPress names it.
const NAME: &str = "closte-sync/closte-sync.php";

/// The folder of our plugin in this repository.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin/closte-sync");

/// What files that are shipped end with; others are for developers.
const SHIPPED: [&str; 3] = ["css", "php", "txt"];

/// The files of our plugin that are shipped, by their path in its folder, in order.
///
/// # Panics
///
/// If the folder cannot be read.
pub fn shipped() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(Path::new(SOURCE), Path::new(""), &mut files);
    files.sort();
    files
}

fn collect(source: &Path, below: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(source.join(below)).expect("the plugin's folder") {
        let entry = entry.expect("the plugin's folder");
        let path = below.join(entry.file_name());
        let ending = path.extension().and_then(|it| it.to_str());
        if entry.path().is_dir() {
            collect(source, &path, files);
        } else if ending.is_some_and(|it| SHIPPED.contains(&it)) {
            files.push((path, fs::read_to_string(entry.path()).expect("a text")));
        }
    }
}

/// Pack our plugin into the file `zip`, as people upload it, as if its version were `version`.
///
/// With the program `engine` it carries that.
///
/// # Panics
///
/// If a file cannot be read or written.
pub fn pack(zip: &Path, version: &str, engine: Option<&Path>) {
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut packed = ZipWriter::new(fs::File::create(zip).expect("a folder of ours"));
    for (path, bytes) in uploaded(version, engine) {
        let name = format!("closte-sync/{}", path.display());
        packed.start_file(name, plain).expect("a file in the zip");
        packed.write_all(&bytes).expect("a file in the zip");
    }
    packed.finish().expect("a zip");
}

/// What is in such a zip, by its path in the plugin's folder.
fn uploaded(version: &str, engine: Option<&Path>) -> Vec<(PathBuf, Vec<u8>)> {
    let text = |(path, text): (PathBuf, String)| {
        let is_main = path == Path::new("closte-sync.php");
        let text = if is_main { with_version(&text, version) } else { text };
        (path, text.into_bytes())
    };
    let mut files: Vec<_> = shipped().into_iter().map(text).collect();
    if let Some(engine) = engine {
        let bytes = fs::read(engine).expect("a program");
        let mut pinned = Vec::new();
        for byte in Sha256::digest(&bytes) {
            write!(pinned, "{byte:02x}").expect("memory");
        }
        pinned.extend(b"  closte-sync\n");
        files
            .extend([("bin/closte-sync".into(), bytes), ("bin/closte-sync.sha256".into(), pinned)]);
    }
    files
}

/// The main file with another version in its header.
fn with_version(main: &str, version: &str) -> String {
    let line = |line: &str| match line.split_once("Version:     ") {
        Some((before, _)) => format!("{before}Version: {version}\n"),
        None => format!("{line}\n"),
    };
    main.lines().map(line).collect()
}

/// Which Ultimate Multisite a stand-in represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UltimateMultisite {
    /// One with a registry of integrations, whose classes have few types.
    Registry,
    /// One with a registry whose classes have all types.
    TypedRegistry,
    /// One from before there was a registry: the built-in integration adds its own hooks. Its
    /// models are always validated when they are saved; those of the others need not be.
    Hooks,
}

impl UltimateMultisite {
    /// Its files, in the order in which they are loaded.
    fn files(self) -> Vec<(&'static str, &'static str)> {
        let registry = include_str!("../../php/built_in_by_registry.php");
        let model = match self {
            Self::Registry | Self::TypedRegistry => {
                include_str!("../../php/model_that_can_skip.php")
            }
            Self::Hooks => include_str!("../../php/model_that_always_validates.php"),
        };
        let mut files = vec![
            ("ultimate_model.php", model),
            ("ultimate_multisite.php", include_str!("../../php/ultimate_multisite.php")),
        ];
        files.extend(match self {
            Self::Registry => vec![
                ("ultimate_multisite_modules.php", include_str!("../../php/modules_untyped.php")),
                ("ultimate_multisite_registry.php", registry),
            ],
            Self::TypedRegistry => vec![
                ("ultimate_multisite_modules.php", include_str!("../../php/modules_typed.php")),
                ("ultimate_multisite_registry.php", registry),
            ],
            Self::Hooks => vec![(
                "ultimate_multisite_provider.php",
                include_str!("../../php/built_in_by_hooks.php"),
            )],
        });
        files
    }
}

impl WordPress {
    /// Install a stand-in for Ultimate Multisite.
    ///
    /// # Panics
    ///
    /// If its folder cannot be written.
    pub fn add_ultimate_multisite(&self, version: UltimateMultisite) {
        for (name, text) in version.files() {
            fs::write(self.content("mu-plugins").join(name), text).expect("our folder");
        }
    }

    /// What the stand-in's built-in integration did, such as "add shop.example" or "check 41".
    pub fn built_in_calls(&self) -> Vec<String> {
        self.lines("built-in.log")
    }

    /// What waits in the stand-in's queue, such as `wu_add_domain domain=shop.example site_id=1`.
    ///
    /// # Panics
    ///
    /// If a line is not what the stand-in writes.
    pub fn queue(&self) -> Vec<String> {
        let line = |line: String| {
            let (hook, names, values, group): (String, Vec<String>, Vec<Value>, String) =
                serde_json::from_str(&line).expect("an action");
            assert_eq!(group, "domain", "its group: {line}");
            let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
            let arguments = names.iter().zip(&values);
            let arguments = arguments.map(|(name, value)| format!(" {name}={}", text(value)));
            [hook].into_iter().chain(arguments).collect()
        };
        self.lines("queue.log").into_iter().map(line).collect()
    }

    /// The lines of one of the logs that Ultimate Multisite shows.
    pub fn log(&self, handle: &str) -> Vec<String> {
        self.lines(&format!("{handle}.log"))
    }

    /// Keep the object cache from one request to the next.
    ///
    /// # Panics
    ///
    /// If its folder cannot be written.
    pub fn keep_object_cache(&self) {
        let cache = include_str!("../../php/object_cache.php");
        fs::write(self.content("object-cache.php"), cache).expect("our folder");
    }

    /// Copy our plugin into place, without activating it.
    ///
    /// # Panics
    ///
    /// If its folder cannot be written.
    pub fn copy_plugin(&self) {
        for (path, text) in shipped() {
            let path = self.plugin_folder().join(path);
            fs::create_dir_all(path.parent().expect("a folder of ours")).expect("our folder");
            fs::write(path, text).expect("our folder");
        }
    }

    /// Install our plugin and activate it for the network.
    ///
    /// # Panics
    ///
    /// If WordPress refuses it, or it prints anything while it is loaded.
    pub fn install_plugin(&self) {
        self.copy_plugin();
        self.php(&format!(
            "require ABSPATH . 'wp-admin/includes/plugin.php'; \
             well(activate_plugin('{NAME}', '', true));"
        ));
    }

    /// Deactivate our plugin for the network.
    ///
    /// # Panics
    ///
    /// If PHP reports anything.
    pub fn deactivate_plugin(&self) {
        self.php(&format!(
            "require ABSPATH . 'wp-admin/includes/plugin.php'; \
             deactivate_plugins('{NAME}', false, true);"
        ));
    }

    /// Run our plugin's uninstaller, as WordPress does before it deletes the files.
    ///
    /// # Panics
    ///
    /// If PHP reports anything.
    pub fn uninstall_plugin(&self) {
        self.php(&format!(
            "define('WP_UNINSTALL_PLUGIN', '{NAME}'); \
             require WP_PLUGIN_DIR . '/closte-sync/uninstall.php';"
        ));
    }

    /// Where our plugin is in this installation.
    pub fn plugin_folder(&self) -> PathBuf {
        self.content("plugins/closte-sync")
    }

    fn content(&self, path: &str) -> PathBuf {
        self.root.join("wp-content").join(path)
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.content(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}
