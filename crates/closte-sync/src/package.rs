//! The plugin for WordPress as it travels in this program: its files, put in
//! place as a whole or packed for those who may not write there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The folder below `wp-content/plugins`.
pub(crate) const FOLDER: &str = "closte-sync";

/// The file that WordPress knows the plugin by.
const MAIN: &str = "closte-sync.php";

/// The engine, in a plugin that carries one.
const ENGINE: &str = "bin/closte-sync";

/// Carries the secret to a network whose database we do not reach.
const SECRET: &str = "secret.php";

#[derive(RustEmbed)]
#[folder = "../../plugin/closte-sync"]
#[exclude = "phpcs.xml*"]
#[exclude = "secret.php"]
#[exclude = "bin/*"]
struct Files;

/// The version of the plugin that this program carries.
pub(crate) fn version() -> String {
    let main = Files::get(MAIN).expect("the plugin has its main file");
    version_in(&String::from_utf8_lossy(&main.data)).expect("and that tells its version")
}

/// The version of the plugin below the folder `plugins`; none where it is not there.
pub(crate) fn installed(plugins: &Path) -> Option<String> {
    version_in(&fs::read_to_string(plugins.join(FOLDER).join(MAIN)).ok()?)
}

/// Whether the plugin below the folder `plugins` carries its own engine: WordPress unpacked it from
/// the zip that holds both, and brings both up to date together.
pub(crate) fn carries_engine(plugins: &Path) -> bool {
    plugins.join(FOLDER).join(ENGINE).exists()
}

/// Whether the engine that the plugin below the folder `plugins` carries can be started, and why not;
/// none where it carries none. It is not started.
pub(crate) fn carried_engine(plugins: &Path) -> Option<Result<(), String>> {
    let engine = plugins.join(FOLDER).join(ENGINE);
    let mode = fs::metadata(&engine).ok()?.permissions().mode();
    Some(startable(&engine, mode))
}

fn startable(engine: &Path, mode: u32) -> Result<(), String> {
    // It is made for this architecture alone.
    if std::env::consts::ARCH != "x86_64" {
        return Err(format!("it is for x86_64, and this machine is {}", std::env::consts::ARCH));
    }
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    let digest = Sha256::digest(fs::read(engine).map_err(unreadable)?);
    let hash = digest.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    let pinned = fs::read_to_string(engine.with_extension("sha256")).unwrap_or_default();
    if pinned.get(..64) != Some(hash.as_str()) {
        return Err(
            "it is not the one of the zip: `bin/closte-sync.sha256` names another".to_owned()
        );
    }
    if mode & 0o111 == 0 {
        return Err("it may not be run: its mode has no `x`".to_owned());
    }
    Ok(())
}

/// The value of WordPress' header `Version`.
fn version_in(main: &str) -> Option<String> {
    let value = |line: &str| Some(line.split_once("Version:")?.1.trim().to_owned());
    main.lines().take(40).find_map(value).filter(|version| !version.is_empty())
}

/// Put the plugin below the folder `plugins`, in place of whatever version is there; one that carries
/// its own engine stays as it is.
///
/// WordPress sees the old one or the new one, and never half of either: each
/// file of a request is read after the folder was exchanged or before.
pub(crate) fn install(plugins: &Path) -> io::Result<()> {
    if carries_engine(plugins) {
        return Ok(());
    }
    let new = plugins.join(".closte-sync.new");
    let old = plugins.join(".closte-sync.old");
    clear(&new)?;
    clear(&old)?;
    for name in Files::iter() {
        let path = new.join(name.as_ref());
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        fs::write(&path, Files::get(&name).expect("it was listed").data)?;
    }
    let place = plugins.join(FOLDER);
    if place.exists() {
        if installed(plugins).is_none() {
            clear(&new)?;
            return Err(io::Error::other(
                "a folder of that name is there, and it is not the plugin",
            ));
        }
        fs::rename(&place, &old)?;
    }
    fs::rename(&new, &place)?;
    clear(&old)
}

/// Take the plugin away; whether it was there.
pub(crate) fn remove(plugins: &Path) -> io::Result<bool> {
    if installed(plugins).is_none() {
        return Ok(false);
    }
    fs::remove_dir_all(plugins.join(FOLDER)).map(|()| true)
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Pack the plugin into a zip that WordPress takes under Plugins > Add New.
///
/// With `secret` (64 hexadecimal digits) it carries that, and only its owner may
/// read the file.
pub(crate) fn pack(zip: &Path, secret: Option<&str>) -> io::Result<PathBuf> {
    if let Some(folder) = zip.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(zip)?;
    let mut packed = ZipWriter::new(file);
    // WordPress' own unpacker needs no compression, and it is a few kilobytes.
    let plain = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, data: &[u8]| -> io::Result<()> {
        packed.start_file(format!("{FOLDER}/{name}"), plain).map_err(io::Error::other)?;
        packed.write_all(data)
    };
    for name in Files::iter() {
        add(&name, &Files::get(&name).expect("it was listed").data)?;
    }
    if let Some(secret) = secret {
        add(SECRET, format!("<?php return '{secret}';\n").as_bytes())?;
    }
    packed.finish().map_err(io::Error::other)?;
    Ok(zip.to_owned())
}

/// Delete what was packed into `folder` before: it may hold a secret.
pub(crate) fn clear_zips(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for path in files.flatten().map(|file| file.path()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let ours = name.starts_with("closte-sync-plugin");
        if ours && path.extension().is_some_and(|it| it == "zip") {
            // What cannot be deleted cannot be written either, which is told.
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_put_in_place_exchanged_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path();
        assert_eq!(installed(plugins), None);
        assert!(!remove(plugins).unwrap());
        install(plugins).unwrap();
        assert_eq!(installed(plugins), Some(version()));
        fs::write(plugins.join("closte-sync/left-over.php"), "<?php").unwrap();
        install(plugins).unwrap();
        assert!(!plugins.join("closte-sync/left-over.php").exists(), "nothing of the old stays");
        assert!(remove(plugins).unwrap());
        assert_eq!(fs::read_dir(plugins).unwrap().count(), 0);
    }

    #[test]
    fn one_that_carries_its_own_engine_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path();
        install(plugins).unwrap();
        assert!(!carries_engine(plugins));
        let own = plugins.join("closte-sync/bin");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("closte-sync"), "ELF").unwrap();
        fs::write(plugins.join("closte-sync/readme.txt"), "of the zip").unwrap();
        install(plugins).unwrap();
        assert!(carries_engine(plugins));
        assert_eq!(fs::read_to_string(own.join("closte-sync")).unwrap(), "ELF");
        assert_eq!(
            fs::read_to_string(plugins.join("closte-sync/readme.txt")).unwrap(),
            "of the zip"
        );
        assert!(remove(plugins).unwrap(), "it is taken away as a whole");
        assert_eq!(fs::read_dir(plugins).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_of_that_name_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("closte-sync")).unwrap();
        fs::write(folder.path().join("closte-sync/notes.txt"), "mine").unwrap();
        assert!(!remove(folder.path()).unwrap());
        assert!(install(folder.path()).is_err());
        assert!(folder.path().join("closte-sync/notes.txt").exists());
    }

    #[test]
    fn an_engine_that_it_carries_is_the_one_of_the_zip_and_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path();
        install(plugins).unwrap();
        assert_eq!(carried_engine(plugins), None);
        let bin = plugins.join("closte-sync/bin");
        let engine = bin.join("closte-sync");
        fs::create_dir(&bin).unwrap();
        let run_bit = |mode| fs::set_permissions(&engine, PermissionsExt::from_mode(mode)).unwrap();
        let why = || carried_engine(plugins).unwrap().unwrap_err();
        fs::write(&engine, "abc").unwrap();
        run_bit(0o755);
        assert!(why().contains("not the one of the zip"));
        // FIPS 180-2, appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        fs::write(bin.join("closte-sync.sha256"), format!("{hash}  closte-sync\n")).unwrap();
        assert_eq!(carried_engine(plugins), Some(Ok(())));
        run_bit(0o644);
        assert!(why().contains("may not be run"));
        run_bit(0o755);
        fs::write(&engine, "ab").unwrap();
        assert!(why().contains("not the one of the zip"));
    }

    #[test]
    fn all_that_is_shipped_is_in_it_and_nothing_else() {
        let carried: Vec<PathBuf> = Files::iter().map(|name| PathBuf::from(&*name)).collect();
        let shipped = testkit::wordpress::shipped().into_iter().map(|(path, _)| path);
        assert_eq!(carried, shipped.collect::<Vec<_>>());
    }

    #[test]
    fn its_version_is_the_programs() {
        assert_eq!(version(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn a_zip_holds_all_of_it_and_the_secret_only_where_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let names = |secret| {
            let file = pack(&folder.path().join("new/plugin.zip"), secret).unwrap();
            let archive = zip::ZipArchive::new(File::open(file).unwrap()).unwrap();
            let names = archive.file_names().map(|name| name.unwrap().into_owned());
            names.collect::<Vec<_>>()
        };
        let plain = names(None);
        assert_eq!(plain.len(), Files::iter().count());
        assert!(plain.contains(&"closte-sync/closte-sync.php".to_owned()), "{plain:?}");
        assert!(!plain.contains(&"closte-sync/secret.php".to_owned()));
        assert!(names(Some("00")).contains(&"closte-sync/secret.php".to_owned()));
    }
}
