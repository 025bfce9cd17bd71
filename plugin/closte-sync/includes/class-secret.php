<?php
/**
 * The secret that engine and plugin share.
 *
 * It is never printed, logged or made here: the engine makes it and puts it into the network's
 * options, or, where it cannot, into a file in this plugin's folder.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Where the secret is.
 */
final class Secret {

	const OPTION = 'closte_sync_secret';
	const TAKEN  = 'closte_sync_secret_taken';

	/**
	 * The secret, never from a cache.
	 *
	 * @return string|null 64 hexadecimal digits.
	 */
	public static function read() {
		$secret = Network_Options::read( self::OPTION );
		return Signature::is_secret( $secret ) ? $secret : null;
	}

	/**
	 * Store a secret; it is used from the next request on.
	 *
	 * @param string $secret 64 hexadecimal digits.
	 */
	public static function write( $secret ) {
		Network_Options::write( self::OPTION, $secret );
	}

	/**
	 * Take the secret that came as a file, once, and delete the file.
	 */
	public static function take_file() {
		if ( ! self::is_file_left() ) {
			return;
		}
		$secret = self::in_file();
		if ( null === $secret ) {
			return;
		}
		if ( ! self::is_taken( $secret ) ) {
			self::write( $secret );
			if ( self::read() !== $secret ) {
				return;
			}
			Network_Options::write( self::TAKEN, hash( 'sha256', $secret ) );
		}
		// phpcs:ignore -- A notice shows whether it worked.
		@unlink( self::file() );
	}

	/**
	 * The secret in the file. It is read, not run: PHP may have cached an earlier one.
	 *
	 * @return string|null
	 */
	private static function in_file() {
		// phpcs:ignore -- A file of this folder; the result shows whether it can be read.
		$text = (string) @file_get_contents( self::file() );
		return preg_match( '/\breturn\s+[\'"]([0-9a-f]{64})[\'"]\s*;/', $text, $found ) ? $found[1] : null;
	}

	/**
	 * Whether the file is still there.
	 *
	 * @return bool
	 */
	public static function is_file_left() {
		clearstatcache( true, self::file() );
		return is_file( self::file() );
	}

	/**
	 * A file that cannot be deleted must not bring back a secret that was replaced since.
	 *
	 * @param string $secret What the file contains.
	 * @return bool
	 */
	private static function is_taken( $secret ) {
		return hash( 'sha256', $secret ) === Network_Options::read( self::TAKEN );
	}

	/**
	 * Its path.
	 *
	 * @return string
	 */
	private static function file() {
		return dirname( FILE ) . '/secret.php';
	}
}
