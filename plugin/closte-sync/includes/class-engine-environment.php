<?php
/**
 * The environment that the carried engine is started with: as little as it needs, and nothing of the request.
 *
 * The engine reads wp-config.php, and where that takes its values from the environment, as PHP has it, the engine
 * must have them too. So which names are passed is decided by what wp-config.php asks for.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The variables.
 */
final class Engine_Environment {

	/**
	 * What belongs to a request or to PHP itself (names, and beginnings of names), what has programs load others,
	 * and what we set ourselves. The names are whole where hosts have variables of their own that begin so: the keys of
	 * WordPress, such as `AUTH_KEY`, or `PHP_ENV`.
	 */
	const NEVER     = array( 'QUERY_STRING', 'PATH_INFO', 'PATH_TRANSLATED', 'GATEWAY_INTERFACE', 'HTTPS', 'argv', 'argc', 'PATH', 'HOME', 'AUTH_TYPE', 'AUTH_USER', 'AUTH_PASSWORD', 'CONTENT_LENGTH', 'CONTENT_TYPE', 'PHP_SELF', 'PHP_VALUE', 'PHP_ADMIN_VALUE', 'PHP_INI_SCAN_DIR', 'PHPRC', 'UNIQUE_ID' );
	const BEGINNING = array( 'HTTP_', 'REQUEST_', 'REMOTE_', 'SERVER_', 'SCRIPT_', 'DOCUMENT_', 'PHP_AUTH_', 'REDIRECT_', 'ORIG_', 'FCGI_', 'SSL_', 'LD_' );

	/**
	 * Files before WordPress' own settings that are looked at, and the largest in bytes.
	 */
	const MOST_FILES = 500;
	const LARGEST    = 262144;

	/**
	 * The environment.
	 *
	 * @return string[] By name.
	 */
	public static function all() {
		$path = self::variable( 'PATH' );
		$all  = array( 'PATH' => is_string( $path ) && '' !== $path ? $path : '/usr/local/bin:/usr/bin:/bin' );
		$home = self::home();
		if ( null !== $home ) {
			$all['HOME'] = $home;
		}
		return $all + self::asked_for( array_map( array( self::class, 'code_of' ), self::settings_files( get_included_files(), Carried::wp_config() ) ), array( self::class, 'value_of' ) );
	}

	/**
	 * The variables that code asks for: those whose names are texts in it.
	 *
	 * @param string[] $codes  Of PHP.
	 * @param callable $lookup Given a name, what PHP has: a text, or null.
	 * @return string[] By name, in order.
	 */
	public static function asked_for( array $codes, callable $lookup ) {
		$asked = array();
		foreach ( $codes as $code ) {
			foreach ( self::texts( $code ) as $name ) {
				$value = self::is_passed( $name ) ? $lookup( $name ) : null;
				if ( is_string( $value ) && false === strpos( $value, "\0" ) ) {
					$asked[ $name ] = $value;
				}
			}
		}
		ksort( $asked );
		return $asked;
	}

	/**
	 * Whether a variable may be passed at all.
	 *
	 * @param string $name Its name.
	 * @return bool
	 */
	public static function is_passed( $name ) {
		if ( ! preg_match( '/^[A-Za-z_][A-Za-z0-9_]*$/', $name ) || in_array( $name, self::NEVER, true ) ) {
			return false;
		}
		foreach ( self::BEGINNING as $beginning ) {
			if ( 0 === strpos( $name, $beginning ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * The files that settle what WordPress is told, in the order in which they were included: those before its own
	 * settings, and wp-config.php, which some command lines do not include but run.
	 *
	 * @param string[] $included  All that are included, in order.
	 * @param string   $wp_config Its path.
	 * @return string[]
	 */
	public static function settings_files( array $included, $wp_config ) {
		$files = array();
		foreach ( $included as $file ) {
			if ( 'wp-settings.php' === basename( $file ) ) {
				break;
			}
			if ( 0 !== strpos( $file, 'phar:' ) ) {
				$files[] = $file;
			}
		}
		return array_values( array_unique( array_merge( array( $wp_config ), array_slice( $files, -self::MOST_FILES ) ) ) );
	}

	/**
	 * The home folder of the user that PHP runs as.
	 *
	 * @return string|null Null where it is not known.
	 */
	public static function home() {
		if ( function_exists( 'posix_getpwuid' ) && function_exists( 'posix_geteuid' ) ) {
			$entry = posix_getpwuid( posix_geteuid() );
			if ( ! empty( $entry['dir'] ) ) {
				return $entry['dir'];
			}
		}
		$home = self::variable( 'HOME' );
		// phpcs:ignore -- Forbidden folders warn. A server that root started may have that one's.
		return is_string( $home ) && 0 === strpos( $home, '/' ) && @is_writable( $home ) ? $home : null;
	}

	/**
	 * The texts in code.
	 *
	 * @param string $code Of PHP.
	 * @return string[]
	 */
	private static function texts( $code ) {
		$texts = array();
		foreach ( function_exists( 'token_get_all' ) ? token_get_all( $code ) : array() as $token ) {
			if ( is_array( $token ) && T_CONSTANT_ENCAPSED_STRING === $token[0] ) {
				$texts[] = substr( $token[1], 1, -1 );
			}
		}
		return $texts;
	}

	/**
	 * What a file contains.
	 *
	 * @param string $file Its path.
	 * @return string Empty where it cannot be read, or is too large for settings.
	 */
	private static function code_of( $file ) {
		// phpcs:ignore -- Forbidden files warn.
		return @filesize( $file ) <= self::LARGEST ? (string) @file_get_contents( $file ) : '';
	}

	/**
	 * A variable of PHP's environment.
	 *
	 * @param string $name Its name.
	 * @return string|false
	 */
	private static function variable( $name ) {
		return function_exists( 'getenv' ) ? getenv( $name ) : false;
	}

	/**
	 * What PHP has by this name.
	 *
	 * @param string $name Of a variable.
	 * @return string|null
	 */
	private static function value_of( $name ) {
		$value = self::variable( $name );
		foreach ( array( $_ENV, $_SERVER ) as $where ) {
			if ( false === $value && isset( $where[ $name ] ) && is_scalar( $where[ $name ] ) ) {
				$value = (string) $where[ $name ];
			}
		}
		return false === $value ? null : $value;
	}
}
