<?php
/**
 * What the network's admins should know, wherever they are in the network admin.
 *
 * Nobody else sees a notice, and none is shown where all is well. A notice is an array: its `code`, its `text`,
 * where it has a button the `label` and `url` of that, and, where its text changes although it says the
 * same, what it says as `same`.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The notices.
 */
final class Notices {

	const DISMISS = 'closte_sync_dismiss';

	/**
	 * The codes of what a person can decide on our page.
	 */
	const DECIDED_THERE = array( 'brake', 'doubt', 'list-doubt', 'database-restored', 'copy', 'other-network' );

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( is_multisite() ? 'network_admin_notices' : 'admin_notices', array( self::class, 'show' ) );
		add_action( 'admin_post_' . self::DISMISS, array( self::class, 'dismiss' ) );
	}

	/**
	 * Show those that the user has not dismissed.
	 */
	public static function show() {
		if ( ! current_user_can( Actions::capability() ) ) {
			return;
		}
		$is_our_page = Admin_Page::is_current();
		foreach ( Dismissals::undismissed( self::all() ) as $notice ) {
			if ( $is_our_page && ! empty( $notice['is_alert'] ) ) {
				// That page shows them itself, dismissed or not.
				continue;
			}
			printf( '<div class="notice notice-warning"><p><strong>closte-sync:</strong> %s</p><p>', esc_html( $notice['text'] ) );
			if ( isset( $notice['url'] ) ) {
				printf( '<a class="button" href="%s">%s</a> ', esc_url( $notice['url'] ), esc_html( $notice['label'] ) );
			}
			$dismiss = array(
				'code' => $notice['code'],
				'said' => Dismissals::digest( $notice ),
			);
			printf( '<a href="%s">%s</a></p></div>', esc_url( Actions::url( self::DISMISS, $dismiss ) ), esc_html__( 'Dismiss until it changes', 'closte-sync' ) );
		}
	}

	/**
	 * Dismiss one for this user.
	 */
	public static function dismiss() {
		Actions::demand( self::DISMISS );
		// phpcs:disable WordPress.Security.NonceVerification -- It was checked.
		$code = isset( $_REQUEST['code'] ) ? sanitize_text_field( wp_unslash( $_REQUEST['code'] ) ) : '';
		$said = isset( $_REQUEST['said'] ) ? sanitize_key( $_REQUEST['said'] ) : '';
		// phpcs:enable
		Dismissals::dismiss( $code, $said );
		self::go_back();
	}

	/**
	 * Go back to the page that the user came from.
	 */
	public static function go_back() {
		$back = wp_get_referer();
		wp_safe_redirect( $back ? $back : network_admin_url() );
		exit;
	}

	/**
	 * All notices, dismissed or not.
	 *
	 * @return array[]
	 */
	public static function all() {
		if ( ! is_multisite() ) {
			return array( self::notice( 'no-network', __( 'This plugin needs a WordPress multisite network; here it does nothing.', 'closte-sync' ) ) );
		}
		if ( ! Ultimate_Multisite::is_there() ) {
			return array( self::notice( 'no-ultimate-multisite', __( 'Ultimate Multisite is missing: without it this plugin does nothing. Activate Ultimate Multisite for the network, or deactivate closte-sync.', 'closte-sync' ) ) );
		}
		$notices = array();
		if ( Secret::is_file_left() ) {
			$notices[] = self::notice( 'secret-file', __( 'The file secret.php in the folder of this plugin could not be read, or not be deleted. Delete it by hand: it contains the secret between WordPress and the engine.', 'closte-sync' ) );
		}
		Carried::refresh( true );
		if ( null === Secret::read() ) {
			$notices[] = self::notice( 'no-secret', Words::no_secret() );
		} elseif ( Engine::is_switched_on() && ! Engine::is_heard_of() && ! Home::is_elsewhere() ) {
			$notices[] = self::notice( 'silent', Words::silence() ) + array( 'same' => Engine::heard_at() );
		}
		return array_merge( $notices, Engine_Words::notices(), self::of_the_engine(), array_filter( array( Gap_Button::notice() ) ) );
	}

	/**
	 * What keeps the engine from its work until a person acts.
	 *
	 * @return array[]
	 */
	public static function of_the_engine() {
		if ( Home::is_elsewhere() ) {
			return array( self::notice( 'copy', Words::copy() ) + self::decision( 'copy' ) );
		}
		if ( ! Engine::is_heard_of() ) {
			return array();
		}
		$notices = array();
		foreach ( Engine::report()['notices'] as $alert ) {
			// What is about one domain is a notice of its own.
			$code      = trim( "{$alert['code']} {$alert['domain']}" );
			$notices[] = self::notice( $code, rtrim( $alert['what'], '.' ) . '. ' . ucfirst( $alert['hint'] ) ) + array( 'is_alert' => true ) + self::decision( $alert['code'] );
		}
		return $notices;
	}

	/**
	 * The notices in plain text.
	 *
	 * @return string[]
	 */
	public static function texts() {
		return wp_list_pluck( self::all(), 'text' );
	}

	/**
	 * A notice without a button.
	 *
	 * @param string $code Its code.
	 * @param string $text Its text.
	 * @return array
	 */
	private static function notice( $code, $text ) {
		return array(
			'code' => $code,
			'text' => $text,
		);
	}

	/**
	 * The button of a notice about what a person can decide on our page, besides by a command.
	 *
	 * @param string $code What it is about.
	 * @return string[] Empty for anything else.
	 */
	private static function decision( $code ) {
		if ( ! in_array( $code, self::DECIDED_THERE, true ) ) {
			return array();
		}
		return array(
			'label' => __( 'Decide on the closte-sync page', 'closte-sync' ),
			'url'   => Admin_Page::url(),
		);
	}
}
