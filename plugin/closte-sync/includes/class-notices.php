<?php
/**
 * What the network's admins should know, wherever they are in the network admin.
 *
 * Nobody else sees a notice, and none is shown where all is well.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The notices.
 */
final class Notices {

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( is_multisite() ? 'network_admin_notices' : 'admin_notices', array( self::class, 'show' ) );
	}

	/**
	 * Show the notices.
	 */
	public static function show() {
		if ( ! current_user_can( is_multisite() ? 'manage_network' : 'manage_options' ) ) {
			return;
		}
		foreach ( self::texts() as $text ) {
			printf( '<div class="notice notice-warning"><p><strong>closte-sync:</strong> %s</p></div>', esc_html( $text ) );
		}
	}

	/**
	 * The notices in plain text.
	 *
	 * @return string[]
	 */
	public static function texts() {
		if ( ! is_multisite() ) {
			return array( __( 'This plugin needs a WordPress multisite network; here it does nothing.', 'closte-sync' ) );
		}
		if ( ! Ultimate_Multisite::is_there() ) {
			return array( __( 'Ultimate Multisite is missing: without it this plugin does nothing. Activate Ultimate Multisite for the network, or deactivate closte-sync.', 'closte-sync' ) );
		}
		$texts = array();
		if ( Secret::is_file_left() ) {
			$texts[] = __( 'The file secret.php in the folder of this plugin could not be read, or not be deleted. Delete it by hand: it contains the secret between WordPress and the engine.', 'closte-sync' );
		}
		if ( null === Secret::read() ) {
			$texts[] = __( 'There is no secret between WordPress and the engine yet. On the machine of the engine, run `closte-sync plugin install`.', 'closte-sync' );
		} elseif ( Engine::is_switched_on() && ! Engine::is_heard_of() ) {
			$texts[] = Words::silence();
		}
		return $texts;
	}
}
