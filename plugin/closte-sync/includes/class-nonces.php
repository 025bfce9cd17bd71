<?php
/**
 * The nonces of good requests, so that none is served twice.
 *
 * Only the nonces of correctly signed requests are stored here, or anybody could fill the table.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Rows in the main site's options, whose names are unique.
 */
final class Nonces {

	const PREFIX = '_closte_sync_nonce_';

	/**
	 * Longer than a request with that nonce can be valid: 60 s early and 60 s late.
	 */
	const REMEMBERED = 180;

	/**
	 * Remember a nonce, in one step.
	 *
	 * @param string $nonce 32 hexadecimal digits.
	 * @param int    $now   The time.
	 * @return bool|null Whether it is new; null where the database fails.
	 */
	public static function remember( $nonce, $now ) {
		global $wpdb;
		if ( '0' === $nonce[0] ) {
			self::forget_expired( $now );
		}
		$table = self::table();
		// phpcs:ignore WordPress.DB -- The functions for options are not atomic.
		$rows = $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO `$table` (option_name, option_value, autoload) VALUES (%s, %s, 'no')", self::PREFIX . $nonce, (string) ( $now + self::REMEMBERED ) ) );
		return false === $rows ? null : 1 === $rows;
	}

	/**
	 * Delete some of those that no request can use any more.
	 *
	 * @param int $now The time.
	 */
	public static function forget_expired( $now ) {
		global $wpdb;
		$table = self::table();
		// phpcs:ignore WordPress.DB -- These rows are never in a cache.
		$wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE option_name LIKE %s AND CAST(option_value AS UNSIGNED) < %d LIMIT 500", $wpdb->esc_like( self::PREFIX ) . '%', $now ) );
	}

	/**
	 * Delete all of them.
	 */
	public static function forget_all() {
		global $wpdb;
		$table = self::table();
		// phpcs:ignore WordPress.DB -- There is no function for rows that share a beginning.
		$wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE option_name LIKE %s", $wpdb->esc_like( self::PREFIX ) . '%' ) );
	}

	/**
	 * The options of the network's main site, wherever the request came in.
	 *
	 * @return string
	 */
	private static function table() {
		global $wpdb;
		return $wpdb->get_blog_prefix( get_main_site_id() ) . 'options';
	}
}
