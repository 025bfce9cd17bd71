<?php
/**
 * Which notices a user has dismissed.
 *
 * One is dismissed as it is: where it says something else, or comes back after it was gone, it is shown again.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The dismissed notices of the current user.
 */
final class Dismissals {

	/**
	 * The user's meta: by code, a digest of what it said.
	 */
	const META = 'closte_sync_dismissed';

	/**
	 * Those of all current notices that the user has not dismissed.
	 *
	 * @param array[] $notices All of them, see `Notices`.
	 * @return array[]
	 */
	public static function undismissed( array $notices ) {
		$dismissed = self::stored();
		$current   = array();
		$left      = array();
		foreach ( $notices as $notice ) {
			$digest = self::digest( $notice );
			if ( isset( $dismissed[ $notice['code'] ] ) && $dismissed[ $notice['code'] ] === $digest ) {
				$current[ $notice['code'] ] = $digest;
			} else {
				$left[] = $notice;
			}
		}
		if ( $current !== $dismissed ) {
			self::store( $current );
		}
		return $left;
	}

	/**
	 * Dismiss a notice.
	 *
	 * @param string $code   Its code.
	 * @param string $digest Of what it said to the user.
	 */
	public static function dismiss( $code, $digest ) {
		self::store( array( $code => $digest ) + self::stored() );
	}

	/**
	 * Forget what all users dismissed.
	 */
	public static function forget() {
		delete_metadata( 'user', 0, self::META, '', true );
	}

	/**
	 * What a notice says, in a few digits.
	 *
	 * @param array $notice One.
	 * @return string
	 */
	public static function digest( array $notice ) {
		return md5( isset( $notice['same'] ) ? (string) $notice['same'] : $notice['text'] );
	}

	/**
	 * What is stored.
	 *
	 * @return string[]
	 */
	private static function stored() {
		$stored = get_user_meta( get_current_user_id(), self::META, true );
		return is_array( $stored ) ? $stored : array();
	}

	/**
	 * Store it.
	 *
	 * @param string[] $dismissed By code.
	 */
	private static function store( array $dismissed ) {
		if ( array() === $dismissed ) {
			delete_user_meta( get_current_user_id(), self::META );
		} else {
			update_user_meta( get_current_user_id(), self::META, $dismissed );
		}
	}
}
