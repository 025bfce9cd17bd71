//! The ledger keeps the contract of its trait, on a file and in memory.

use std::sync::atomic::{AtomicU32, Ordering};

use ledger::{CreateIfMissing, LedgerPath, SqliteLedger};
use testkit::ledger::ledger_contract;
use testkit::outbox::outbox_contract;

#[tokio::test]
async fn a_ledger_on_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let made = AtomicU32::new(0);
    let fresh = async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let url = format!("sqlite://{}/{number}.db", folder.path().display());
        let ledger_path = LedgerPath::at(&url, &[]).unwrap();
        SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap()
    };
    ledger_contract(&fresh).await;
    outbox_contract(&fresh).await;
}

#[tokio::test]
async fn a_ledger_in_memory_keeps_the_contract() {
    ledger_contract(async || SqliteLedger::in_memory().await.unwrap()).await;
    outbox_contract(async || SqliteLedger::in_memory().await.unwrap()).await;
}
