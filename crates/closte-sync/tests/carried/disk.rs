//! No room for the ledger: it is told, and nothing is lost.

use crate::hosted::Hosted;
use crate::running::eventually;

const DOMAIN: &str = "shop.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_on_the_page_and_the_work_is_done_once_there_is_room() {
    let hosted = Hosted::on_a_small_disk().await;
    let file = format!("file={}", hosted.world.folder.path().join(".local/filler").display());
    hosted.page(&format!("do=fill&{file}"));
    hosted.world.here(DOMAIN);
    hosted.world.map(1, DOMAIN);
    hosted.cron();
    eventually("the pass fails", || hosted.failed().contains("No space left on device"));
    let browser = hosted.browser();
    browser.sees("No space left on device");
    assert_eq!(hosted.world.stage(DOMAIN), "checking-dns 0");
    assert!(hosted.world.aliases().is_empty(), "nothing is sent that is not written down");

    hosted.page(&format!("do=free&{file}"));
    hosted.cron();
    hosted.becomes(DOMAIN, "done 1");
    assert_eq!(hosted.failed(), "");
}
