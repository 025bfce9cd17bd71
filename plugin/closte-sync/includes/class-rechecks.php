<?php
/**
 * The domains that a person wants checked, until the engine asks.
 *
 * One row each, so that nothing is lost if one is added while others are handed over.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * A list of names, bounded.
 */
final class Rechecks {

	const OPTION = 'closte_sync_recheck';
	const MOST   = 1000;

	/**
	 * Add a name, and nudge the engine at the end of this request.
	 *
	 * @param string $domain A name that is mapped.
	 * @return bool Whether there was room.
	 */
	public static function add( $domain ) {
		global $wpdb;
		$waiting = self::waiting();
		if ( ! in_array( $domain, $waiting, true ) ) {
			if ( count( $waiting ) >= self::MOST ) {
				return false;
			}
			// phpcs:ignore WordPress.DB -- No option: several rows share the name.
			$wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->sitemeta (site_id, meta_key, meta_value) VALUES (%d, %s, %s)", get_current_network_id(), self::OPTION, $domain ) );
		}
		Nudge::mark( 'recheck' );
		return true;
	}

	/**
	 * Hand all of them over, once.
	 *
	 * @return string[]
	 */
	public static function take() {
		global $wpdb;
		$rows = self::rows();
		if ( array() !== $rows ) {
			$ids = implode( ', ', array_map( 'intval', wp_list_pluck( $rows, 'meta_id' ) ) );
			// phpcs:ignore WordPress.DB -- Numbers.
			$wpdb->query( "DELETE FROM $wpdb->sitemeta WHERE meta_id IN ($ids)" );
		}
		return array_values( array_unique( wp_list_pluck( $rows, 'meta_value' ) ) );
	}

	/**
	 * The names that wait.
	 *
	 * @return string[]
	 */
	public static function waiting() {
		return wp_list_pluck( self::rows(), 'meta_value' );
	}

	/**
	 * Their rows.
	 *
	 * @return object[]
	 */
	private static function rows() {
		global $wpdb;
		// phpcs:ignore WordPress.DB -- No option: several rows share the name.
		return (array) $wpdb->get_results( $wpdb->prepare( "SELECT meta_id, meta_value FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT %d", get_current_network_id(), self::OPTION, self::MOST ) );
	}
}
