//! One connection, set up so that nothing waits forever and a snapshot is consistent.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rules::source::SourceError;
use sqlx::mysql::{MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, Error, Executor};
use tokio::time::timeout;

use super::Database;
use super::failure::{self, SILENCE, silence, within};
use crate::Installation;
use crate::database_host::Route;
use crate::tables::Tables;

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);

/// MariaDB reads what is in `/*M! */`, MySQL what is in `/*!50708 */`; each treats the other's
/// as a comment. A strict mode makes an unknown stage an error instead of an empty word.
const SET_UP: &str = "SET SESSION /*M! max_statement_time = 10, */ \
    /*!50708 max_execution_time = 10000, */ \
    lock_wait_timeout = 10, innodb_lock_wait_timeout = 10, time_zone = '+00:00', \
    sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
    SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// A connection to the network's database.
pub(super) struct Link {
    pub(super) connection: MySqlConnection,
    pub(super) tables: Tables,
    pub(super) installation: Arc<Installation>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl Link {
    /// Connect over the first route that lets us in.
    ///
    /// One plain connection and no pool: a pool would hide why it failed.
    pub(super) async fn connect(
        database: &Database,
        installation: &Arc<Installation>,
    ) -> Result<Self, SourceError> {
        let mut connection = first_that_answers(database).await?;
        within("setting up the connection", connection.execute(SET_UP)).await?;
        let tables = Tables::new(installation.prefix.clone());
        Ok(Self { connection, tables, installation: Arc::clone(installation) })
    }

    /// Whether a kept connection can be used again; servers close idle ones.
    pub(super) async fn is_alive(&mut self) -> bool {
        timeout(SILENCE, self.connection.ping()).await.is_ok_and(|it| it.is_ok())
    }

    /// Close it; the result does not matter any more.
    pub(super) async fn close(self) {
        _ = timeout(CONNECT, self.connection.close()).await;
    }

    /// Run a statement without parameters.
    pub(super) async fn run(
        &mut self,
        doing: &'static str,
        sql: &'static str,
    ) -> Result<(), SourceError> {
        within(doing, sqlx::raw_sql(sql).execute(&mut self.connection)).await.map(drop)
    }
}

/// Of several failures the most informative one counts: a server that refused us, else the last.
async fn first_that_answers(database: &Database) -> Result<MySqlConnection, SourceError> {
    let mut failure = None;
    for route in database.routes() {
        match over(database, route).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                let error = failure::unreachable(route.to_string(), database.name(), error);
                if !failure.as_ref().is_some_and(is_telling) {
                    failure = Some(error);
                }
            }
        }
    }
    Err(failure.expect("a host has at least one route"))
}

fn is_telling(error: &SourceError) -> bool {
    !matches!(error, SourceError::Unreachable { .. })
}

/// With TLS where the server offers it; a server whose TLS is too old for us gets the plain
/// connection that PHP would make.
async fn over(database: &Database, route: &Route) -> Result<MySqlConnection, Error> {
    let options = database.over(route).disable_statement_logging();
    match in_time(&options).await {
        Err(error)
            if is_tls(&error) && matches!(options.get_ssl_mode(), MySqlSslMode::Preferred) =>
        {
            in_time(&options.ssl_mode(MySqlSslMode::Disabled)).await
        }
        result => result,
    }
}

async fn in_time(options: &sqlx::mysql::MySqlConnectOptions) -> Result<MySqlConnection, Error> {
    let late = |_| Err(silence(CONNECT).into());
    timeout(CONNECT, options.connect()).await.unwrap_or_else(late)
}

fn is_tls(error: &Error) -> bool {
    match error {
        Error::Tls(_) => true,
        Error::Io(error) => error.kind() == ErrorKind::InvalidData,
        _ => false,
    }
}
