<?php
/**
 * Requests that were refused: counted, up to ten a minute.
 *
 * Beyond that nothing is stored, so that nobody can keep the database busy from outside.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The count of refusals, and their answers.
 */
final class Refusals {

	const OPTION = 'closte_sync_refused';
	const MOST   = 10;
	const WINDOW = 60;

	/**
	 * Count a refusal, and return its answer. Refusals that come at once are all counted.
	 *
	 * @param string $code Why.
	 * @return \WP_Error
	 */
	public static function refuse( $code ) {
		$is_counted = Network_Options::change(
			self::OPTION,
			function ( $stored ) use ( $code ) {
				return self::with_one_more( self::state( $stored ), $code, time() );
			}
		);
		if ( ! $is_counted ) {
			return new \WP_Error( 'closte_sync_too_many', __( 'Too many bad requests; try again in a minute.', 'closte-sync' ), array( 'status' => 429 ) );
		}
		return new \WP_Error( $code, self::message( $code ), array( 'status' => 401 ) );
	}

	/**
	 * What is known after one more refusal.
	 *
	 * @param array  $state What was known before.
	 * @param string $code  Why.
	 * @param int    $now   The time.
	 * @return array|null Null where there were too many.
	 */
	private static function with_one_more( array $state, $code, $now ) {
		if ( $now - $state['since'] >= self::WINDOW ) {
			$state['since'] = $now;
			$state['some']  = 0;
		}
		if ( $state['some'] >= self::MOST ) {
			return null;
		}
		++$state['some'];
		++$state['count'];
		$state['last'] = $code;
		$state['at']   = $now;
		if ( 'closte_sync_unsigned' !== $code ) {
			$state['signed_at'] = $now;
		}
		return $state;
	}

	/**
	 * What `hello` reports of them.
	 *
	 * @return array
	 */
	public static function told() {
		return array_intersect_key( self::state( Network_Options::read( self::OPTION ) ), array_flip( array( 'count', 'last', 'at' ) ) );
	}

	/**
	 * When a signed request was last refused: anybody who finds the address can send unsigned ones.
	 *
	 * @return int|null
	 */
	public static function signed_at() {
		return self::state( Network_Options::read( self::OPTION ) )['signed_at'];
	}

	/**
	 * What is known.
	 *
	 * @param mixed $stored What the option holds.
	 * @return array
	 */
	private static function state( $stored ) {
		$none = array(
			'count'     => 0,
			'last'      => null,
			'at'        => null,
			'signed_at' => null,
			'since'     => 0,
			'some'      => 0,
		);
		return is_array( $stored ) ? array_merge( $none, $stored ) : $none;
	}

	/**
	 * A code in words.
	 *
	 * @param string $code Why.
	 * @return string
	 */
	private static function message( $code ) {
		$messages = array(
			'closte_sync_unsigned'  => __( 'The request is not signed.', 'closte-sync' ),
			'closte_sync_forged'    => __( 'The signature is wrong.', 'closte-sync' ),
			'closte_sync_late'      => __( 'The time of the request differs from this clock by more than a minute.', 'closte-sync' ),
			'closte_sync_replayed'  => __( 'The request was received before.', 'closte-sync' ),
			'closte_sync_no_secret' => __( 'There is no secret here; run `closte-sync plugin install`.', 'closte-sync' ),
		);
		return $messages[ $code ];
	}
}
