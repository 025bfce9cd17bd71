<?php
/**
 * Things of which a network has several: a row each in `wp_sitemeta`, all of one name, so that nothing is
 * lost if one is added while others are deleted.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Rows that share a name, each with a list as JSON.
 */
final class Network_Rows {

	/**
	 * What the rows of this network hold, in their order.
	 *
	 * @param string $name The name of the rows.
	 * @param int    $most How many are read.
	 * @return array[] By the ids of the rows; what is no list is left out.
	 */
	public static function all( $name, $most ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB -- No option: several rows share the name.
		$rows = (array) $wpdb->get_results( $wpdb->prepare( "SELECT meta_id, meta_value FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT %d", get_current_network_id(), $name, $most ) );
		$all  = array();
		foreach ( $rows as $row ) {
			$value = json_decode( (string) $row->meta_value, true );
			if ( is_array( $value ) ) {
				$all[ (int) $row->meta_id ] = $value;
			}
		}
		return $all;
	}

	/**
	 * Delete rows.
	 *
	 * @param string $name The name of the rows.
	 * @param int[]  $ids  Their ids.
	 * @return int|false How many were there; false where the database fails.
	 */
	public static function drop( $name, array $ids ) {
		global $wpdb;
		if ( array() === $ids ) {
			return 0;
		}
		$ids = implode( ', ', array_map( 'intval', $ids ) );
		// phpcs:ignore WordPress.DB -- No option: several rows share the name.
		return $wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->sitemeta WHERE meta_id IN ($ids) AND meta_key = %s", $name ) );
	}
}
