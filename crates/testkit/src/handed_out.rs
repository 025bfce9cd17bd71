//! What is handed out: the files of `dist/out`, as the sources have them now.
//!
//! ```text
//! let zip = testkit::handed_out::zip();
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder with what is handed out. Where a source has changed since it was built, it is built
/// anew, which takes minutes.
///
/// # Panics
///
/// If it cannot be built; with all that was said.
pub fn folder() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let root = root.expect("crates/testkit lies two folders deep");
    BUILT.get_or_init(|| {
        let built = Command::new(root.join("dist/release")).arg("--if-older").output();
        let built = built.expect("`dist/release` can be started");
        let said = [built.stdout, built.stderr].concat();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&said));
    });
    root.join("dist/out")
}

/// The plugin with the engine in it, as people upload it.
///
/// # Panics
///
/// If it cannot be built.
pub fn zip() -> PathBuf {
    folder().join(format!("closte-sync-{}.zip", env!("CARGO_PKG_VERSION")))
}
