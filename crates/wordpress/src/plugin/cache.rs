//! The last listing on disk, so that a new process asks only whether it is still current.
//!
//! The file is a convenience: one that cannot be read, or is another network's, is ignored. It
//! contains answer keys, so only its user may read it.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tokio::fs;
use tokio::io::AsyncWriteExt;

/// The listing kept in the file at `path`, of the network at `place`.
pub(super) async fn read(path: &Path, endpoint: &str) -> Option<Map<String, Value>> {
    let text = fs::read(path).await.ok()?;
    let mut kept: Value = serde_json::from_slice(&text).ok()?;
    if kept.get("place")?.as_str()? != endpoint {
        return None;
    }
    match kept.get_mut("listing")?.take() {
        Value::Object(listing) => Some(listing),
        _ => None,
    }
}

/// Keep `listing` in the file at `path`: whole or not at all.
pub(super) async fn write(
    path: &Path,
    endpoint: &str,
    listing: &Map<String, Value>,
) -> io::Result<()> {
    let text = json!({ "place": endpoint, "listing": listing }).to_string();
    let new = new_file(path);
    // What a crash left may be readable by others.
    match fs::remove_file(&new).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).await?;
    file.write_all(text.as_bytes()).await?;
    file.flush().await?;
    fs::rename(&new, path).await
}

fn new_file(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PLACE: &str = "https://network.example";

    #[tokio::test]
    async fn a_listing_is_kept_for_its_own_network_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listing.json");
        let listing = json!({ "version": "1" });
        let listing = listing.as_object().unwrap();
        std::fs::write(new_file(&path), "left by a crash").unwrap();
        write(&path, PLACE, listing).await.unwrap();
        assert_eq!(read(&path, PLACE).await.as_ref(), Some(listing));
        assert_eq!(read(&path, "https://other.example").await, None);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!new_file(&path).exists());
    }

    #[tokio::test]
    async fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listing.json");
        for text in ["", "{", "[]", r#"{"place":7}"#, r#"{"place":"https://network.example"}"#] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path, PLACE).await, None, "{text}");
        }
        let nowhere = folder.path().join("none/listing.json");
        assert!(write(&nowhere, PLACE, &Map::new()).await.is_err());
    }
}
