<?php
/**
 * Gives the built-in integration its work back, where the plugin was not deactivated by WordPress, and
 * removes what the plugin stored, when it is deleted.
 *
 * The mark of the installation that acts for the network stays: it is the engine's, and a copy of
 * the network is recognized by it.
 *
 * @package Closte_Sync
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	require_once __DIR__ . '/includes/autoload.php';
	if ( ! \Closte_Sync\Giving_Back::is_done() ) {
		\Closte_Sync\Giving_Back::leave();
	}
	\Closte_Sync\Dismissals::forget();
	// phpcs:disable WordPress.DB -- There is no function for rows that share a beginning.
	global $wpdb;
	$closte_sync_options = $wpdb->get_blog_prefix( get_main_site_id() ) . 'options';
	$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->sitemeta WHERE meta_key LIKE %s AND meta_key <> 'closte_sync_home'", $wpdb->esc_like( 'closte_sync_' ) . '%' ) );
	$wpdb->query( $wpdb->prepare( "DELETE FROM `$closte_sync_options` WHERE option_name LIKE %s", $wpdb->esc_like( '_closte_sync_nonce_' ) . '%' ) );
	// phpcs:enable
}
