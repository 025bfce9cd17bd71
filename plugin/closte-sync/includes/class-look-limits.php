<?php
/**
 * How often the owners of domains may have them checked: each once a minute, and all of them ten times.
 *
 * Both limits are in one option, which changes only from the value that was read, so requests that come at once pass
 * neither.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * When each mapping was looked at last.
 */
final class Look_Limits {

	const OPTION = 'closte_sync_looks';

	/**
	 * The most in a window, and its seconds.
	 */
	const MOST   = 10;
	const WINDOW = 60;

	/**
	 * Take a look at a mapping's domain, in one step.
	 *
	 * @param int $id  The mapping.
	 * @param int $now The time.
	 * @return int 0 where it may be taken; else after how many seconds to try again.
	 */
	public static function take( $id, $now ) {
		$wait     = 0;
		$is_taken = Network_Options::change(
			self::OPTION,
			static function ( $stored ) use ( $id, $now, &$wait ) {
				$looks = self::recent( $stored, $now );
				$wait  = self::wait( $looks, $id, $now );
				return 0 === $wait ? (string) wp_json_encode( $looks + array( $id => $now ) ) : null;
			}
		);
		return $is_taken || 0 !== $wait ? $wait : self::WINDOW;
	}

	/**
	 * The looks within the window.
	 *
	 * @param mixed $stored The option.
	 * @param int   $now    The time.
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
