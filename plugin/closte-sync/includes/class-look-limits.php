<?php
/**
 * How often the owners of domains may have them checked: each once a minute, and all of them ten times.
 *
 * Both limits are in one row, which changes only from the value that was read, so requests that come at once pass
 * neither.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * A row in the main site's options, whose names are unique: when each mapping was looked at last.
 */
final class Look_Limits {

	const ROW = '_closte_sync_looks';

	/**
	 * The most in a window, and its seconds.
	 */
	const MOST   = 10;
	const WINDOW = 60;

	/**
	 * So often the change is tried: each time it fails, somebody else's was stored.
	 */
	const TRIES = 30;

	/**
	 * Take a look at a mapping's domain, in one step.
	 *
	 * @param int $id  The mapping.
	 * @param int $now The time.
	 * @return int 0 where it may be taken; else after how many seconds to try again.
	 */
	public static function take( $id, $now ) {
		global $wpdb;
		$table = Nonces::table();
		// phpcs:disable WordPress.DB -- The functions for options are not atomic.
		$wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO `$table` (option_name, option_value, autoload) VALUES (%s, '{}', 'no')", self::ROW ) );
		for ( $tries = 0; $tries < self::TRIES; $tries++ ) {
			$stored = (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM `$table` WHERE option_name = %s", self::ROW ) );
			$looks  = self::recent( $stored, $now );
			$wait   = self::wait( $looks, $id, $now );
			if ( 0 !== $wait ) {
				return $wait;
			}
			$looks[ $id ] = $now;
			if ( 1 === $wpdb->query( $wpdb->prepare( "UPDATE `$table` SET option_value = %s WHERE option_name = %s AND option_value = %s", wp_json_encode( $looks ), self::ROW, $stored ) ) ) {
				return 0;
			}
		}
		// phpcs:enable
		return self::WINDOW;
	}

	/**
	 * Delete the row.
	 */
	public static function forget() {
		global $wpdb;
		// phpcs:ignore WordPress.DB -- It is never in a cache.
		$wpdb->delete( Nonces::table(), array( 'option_name' => self::ROW ) );
	}

	/**
	 * The looks within the window.
	 *
	 * @param string $stored The row.
	 * @param int    $now    The time.
	 * @return int[] When, by the ids of the mappings.
	 */
	private static function recent( $stored, $now ) {
		$is_recent = static function ( $at ) use ( $now ) {
			return is_int( $at ) && $at <= $now && $now - $at < self::WINDOW;
		};
		return array_filter( Engine::decode( $stored ), $is_recent );
	}

	/**
	 * How long one more has to wait.
	 *
	 * @param int[] $looks Those within the window.
	 * @param int   $id    The mapping.
	 * @param int   $now   The time.
	 * @return int In seconds.
	 */
	private static function wait( array $looks, $id, $now ) {
		if ( isset( $looks[ $id ] ) ) {
			return $looks[ $id ] + self::WINDOW - $now;
		}
		return count( $looks ) < self::MOST ? 0 : min( $looks ) + self::WINDOW - $now;
	}
}
