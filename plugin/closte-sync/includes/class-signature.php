<?php
/**
 * How requests between engine and plugin are signed: pure, and the same on both sides.
 *
 * Nothing here reads a clock, an option or a request, and nothing is remembered.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Version 1 of the signature.
 */
final class Signature {

	const TIME      = 'X-Closte-Sync-Time';
	const NONCE     = 'X-Closte-Sync-Nonce';
	const SIGNATURE = 'X-Closte-Sync-Signature';

	const TO_PLUGIN = 'to-plugin';
	const TO_ENGINE = 'to-engine';

	/**
	 * Whether a text is a secret: 32 bytes in hexadecimal digits.
	 *
	 * @param mixed $text Anything.
	 * @return bool
	 */
	public static function is_secret( $text ) {
		return is_string( $text ) && 1 === preg_match( '/\A[0-9a-f]{64}\z/', $text );
	}

	/**
	 * Whether the three headers look as they should.
	 *
	 * @param mixed $time      Seconds since 1970.
	 * @param mixed $nonce     32 hexadecimal digits.
	 * @param mixed $signature `v1=` and 64 hexadecimal digits.
	 * @return bool
	 */
	public static function is_well_formed( $time, $nonce, $signature ) {
		return 1 === preg_match( '/\A[0-9]{1,12}\z/', (string) $time )
			&& 1 === preg_match( '/\A[0-9a-f]{32}\z/', (string) $nonce )
			&& 1 === preg_match( '/\Av1=[0-9a-f]{64}\z/', (string) $signature );
	}

	/**
	 * The signature of a request.
	 *
	 * @param string $secret    64 hexadecimal digits.
	 * @param string $direction One of the two.
	 * @param string $method    Such as `POST`.
	 * @param string $path      The route, without what comes before it and without a query.
	 * @param string $body      The body, byte by byte.
	 * @param string $time      As the header has it.
	 * @param string $nonce     As the header has it.
	 * @return string
	 */
	public static function sign( $secret, $direction, $method, $path, $body, $time, $nonce ) {
		$lines = array( 'closte-sync v1', $direction, $method, $path, hash( 'sha256', $body ), $time, $nonce );
		return 'v1=' . hash_hmac( 'sha256', implode( "\n", $lines ), hex2bin( $secret ) );
	}

	/**
	 * The headers of a request to the engine.
	 *
	 * @param string $secret 64 hexadecimal digits.
	 * @param string $path   The route at the engine.
	 * @param string $body   The body.
	 * @param int    $time   Now.
	 * @param string $nonce  32 hexadecimal digits that were never used.
	 * @return string[]
	 */
	public static function headers_to_engine( $secret, $path, $body, $time, $nonce ) {
		return array(
			self::TIME      => (string) $time,
			self::NONCE     => $nonce,
			self::SIGNATURE => self::sign( $secret, self::TO_ENGINE, 'POST', $path, $body, (string) $time, $nonce ),
		);
	}
}
