<?php
/**
 * Gives the built-in integration its work back, where the plugin was not deactivated by WordPress, and
 * removes what the plugin stored, when it is deleted: in every network of these tables, as none has it then.
 *
 * The mark of the installation that acts for the network stays: it is the engine's, and a copy of
 * the network is recognized by it. So does the engine's ledger, which is not in a folder of WordPress. The page and
 * readme.txt say so.
 *
 * @package Closte_Sync
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	require_once __DIR__ . '/includes/autoload.php';
	\Closte_Sync\Networks::each(
		static function () {
			if ( ! \Closte_Sync\Giving_Back::is_done() ) {
				\Closte_Sync\Giving_Back::leave();
			}
			\Closte_Sync\Nonces::forget_all();
			\Closte_Sync\Passes::clear_events();
		}
	);
	\Closte_Sync\Dismissals::forget();
	// phpcs:disable WordPress.DB -- There is no function for rows that share a beginning.
	global $wpdb;
	$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->sitemeta WHERE meta_key LIKE %s AND meta_key <> 'closte_sync_home'", $wpdb->esc_like( 'closte_sync_' ) . '%' ) );
	// phpcs:enable
}
