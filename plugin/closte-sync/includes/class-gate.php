<?php
/**
 * Who may call: the engine, and nobody else.
 *
 * The order of the checks is the protocol's. Nothing about a request is stored before its signature
 * is right, except for the count of refusals.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The permission check of all routes.
 */
final class Gate {

	/**
	 * By how many seconds the time of a request may differ from our clock.
	 */
	const SKEW = 60;

	/**
	 * The request that was judged last.
	 *
	 * @var \WP_REST_Request|null
	 */
	private static $request = null;

	/**
	 * The result for it.
	 *
	 * @var true|\WP_Error|null
	 */
	private static $answer = null;

	/**
	 * Whether a request may pass. WordPress asks twice, as it also reports which methods are allowed.
	 *
	 * @param \WP_REST_Request $request What came.
	 * @return true|\WP_Error
	 */
	public static function check( $request ) {
		if ( self::$request !== $request ) {
			self::$request = $request;
			self::$answer  = self::judge( $request );
		}
		return self::$answer;
	}

	/**
	 * Judge a request, once.
	 *
	 * @param \WP_REST_Request $request What came.
	 * @return true|\WP_Error
	 */
	private static function judge( $request ) {
		$now  = time();
		$code = self::fault( $request, $now );
		if ( null !== $code ) {
			return Refusals::refuse( $code );
		}
		$is_new = Nonces::remember( $request->get_header( Signature::NONCE ), $now );
		if ( null === $is_new ) {
			return new \WP_Error( 'closte_sync_unavailable', __( 'The database does not store the nonce.', 'closte-sync' ), array( 'status' => 503 ) );
		}
		if ( ! $is_new ) {
			return Refusals::refuse( 'closte_sync_replayed' );
		}
		return true;
	}

	/**
	 * What is wrong with a request itself.
	 *
	 * @param \WP_REST_Request $request What came.
	 * @param int              $now     The time.
	 * @return string|null The code of a refusal.
	 */
	private static function fault( $request, $now ) {
		$time      = $request->get_header( Signature::TIME );
		$nonce     = $request->get_header( Signature::NONCE );
		$signature = $request->get_header( Signature::SIGNATURE );
		if ( ! Signature::is_well_formed( $time, $nonce, $signature ) ) {
			return 'closte_sync_unsigned';
		}
		$secret = Secret::read();
		if ( null === $secret ) {
			return 'closte_sync_no_secret';
		}
		$right = Signature::sign( $secret, Signature::TO_PLUGIN, $request->get_method(), $request->get_route(), (string) $request->get_body(), $time, $nonce );
		if ( ! hash_equals( $right, $signature ) ) {
			return 'closte_sync_forged';
		}
		return abs( $now - (int) $time ) > self::SKEW ? 'closte_sync_late' : null;
	}
}
