//! What a pass must not do to PHP-FPM and its visitors, and they not to a pass.

use std::time::Duration;

use sandbox::closte::{CallKind, Fault};
use testkit::wordpress::Listen;

use crate::hosted::Hosted;
use crate::running::eventually;

/// Long enough for all that is done to a pass meanwhile.
pub(crate) const SLOW: Duration = Duration::from_secs(6);

const DOMAIN: &str = "shop.example";

/// Who begins a pass, and so who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// WP-Cron's request.
    Attached,
    /// Nobody.
    Detached,
}

/// In which a pass waits for the host's answer.
async fn waiting(pass: Pass, listen: Listen) -> Hosted {
    let hosted = Hosted::new(listen).await;
    hosted.world.here(DOMAIN);
    hosted.world.sandbox.closte().fault(Fault::slow(SLOW).on(CallKind::Add).once());
    match pass {
        Pass::Attached => {
            hosted.world.map(1, DOMAIN);
            hosted.cron();
        }
        Pass::Detached => hosted.page(&format!("do=map&domain={DOMAIN}")),
    }
    assert_eq!(hosted.world.stage(DOMAIN), "checking-dns 0", "whoever asked does not wait");
    hosted.asked_to_add(DOMAIN);
    assert_eq!(hosted.server.engines(), 1);
    hosted
}

async fn php_fpm_comes_up_while_it_runs(pass: Pass, listen: Listen) {
    let mut hosted = waiting(pass, listen).await;
    hosted.server.restart_fpm().unwrap();
    hosted.serves();
    assert_eq!(hosted.server.engines(), 1, "the pass still runs");
    hosted.becomes(DOMAIN, "done 1");
    assert_eq!(hosted.world.aliases(), [DOMAIN]);
    assert_eq!(hosted.complaints(), Vec::<String>::new());
}

async fn nothing_is_lost_when_all_are_killed(pass: Pass, listen: Listen) {
    let mut hosted = waiting(pass, listen).await;
    hosted.server.kill_fpm();
    eventually("the pass is dead", || hosted.server.engines() == 0);
    assert_eq!(hosted.world.stage(DOMAIN), "checking-dns 0");
    hosted.world.map(1, "another.example");
    hosted.world.here("another.example");
    hosted.server.start_fpm().unwrap();
    hosted.cron();
    hosted.becomes(DOMAIN, "done 1");
    hosted.becomes("another.example", "done 1");
    assert_eq!(hosted.world.aliases(), ["another.example", DOMAIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn php_fpm_on_a_port_is_restarted_while_a_detached_pass_runs() {
    php_fpm_comes_up_while_it_runs(Pass::Detached, Listen::Port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn php_fpm_on_a_socket_is_restarted_while_a_detached_pass_runs() {
    php_fpm_comes_up_while_it_runs(Pass::Detached, Listen::Socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn php_fpm_on_a_port_is_restarted_while_an_attached_pass_runs() {
    php_fpm_comes_up_while_it_runs(Pass::Attached, Listen::Port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn php_fpm_on_a_socket_is_restarted_while_an_attached_pass_runs() {
    php_fpm_comes_up_while_it_runs(Pass::Attached, Listen::Socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_pass_that_is_killed_with_php_fpm_loses_nothing() {
    nothing_is_lost_when_all_are_killed(Pass::Detached, Listen::Port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_pass_that_is_killed_with_php_fpm_loses_nothing() {
    nothing_is_lost_when_all_are_killed(Pass::Attached, Listen::Socket).await;
}
