//! Where the API key is found: the first place that has one counts.

use secrecy::SecretString;
use wordpress::WpConfig;
use wordpress::credential::{OPTIONS, stored_api_key};

use super::{Wiring, secret_text};
use engine::Failure;

/// systemd's credential with the key.
const CREDENTIAL: &str = "closte-api-key";

impl Wiring<'_> {
    /// The API key: of `closte.api_key_file`, of systemd's credential, of
    /// wp-config.php, of the database; in this order.
    ///
    /// The database is asked only where nothing else has it.
    pub(crate) async fn api_key(&self) -> Result<SecretString, Failure> {
        if let Some(path) = &self.settings.api_key_file {
            return secret_text(path, "the API key", "check `closte.api_key_file`");
        }
        if let Some(path) = self.environment.credential(CREDENTIAL) {
            return secret_text(&path, "the API key", "check `LoadCredential=` of the unit");
        }
        if self.is_remote() {
            return Err(Failure::could_not("it is not known which API key Closte accepts").hint(
                "put `CLOSTE_CLIENT_API_KEY` of the network's wp-config.php into a file that only \
                 you may read, and set `closte.api_key_file`",
            ));
        }
        let wp = self.wp_config()?;
        let missing = match wp.require("CLOSTE_CLIENT_API_KEY", &wp.closte_client_api_key) {
            Ok(key) => return Ok(key.clone()),
            Err(missing) => missing,
        };
        self.stored(&wp).await?.ok_or_else(|| {
            Failure::could_not(missing).hint(
                "Closte defines `CLOSTE_CLIENT_API_KEY` in wp-config.php by itself; elsewhere add \
                 `define('CLOSTE_CLIENT_API_KEY', '…');` with the key of Closte's dashboard, or put \
                 the key into a file and set `closte.api_key_file`",
            )
        })
    }

    /// The key that Ultimate Multisite's wizard stored; none where it is not known
    /// where the database is.
    async fn stored(&self, wp: &WpConfig) -> Result<Option<SecretString>, Failure> {
        let Ok(access) = self.access() else { return Ok(None) };
        let options = access.source.options(&OPTIONS).await?;
        stored_api_key(&options, wp).map_err(|error| {
            let hint = error.hint();
            Failure::could_not(error).hint(hint)
        })
    }
}
