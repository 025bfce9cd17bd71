<?php
/**
 * The engine that this plugin carries, where it does: what it is, and whether it can run here.
 *
 * What was found is kept with what it was found from. Where that has changed nothing is known, and it is looked
 * at again; what is known costs no query of its own.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The carried engine.
 */
final class Carried {

	/**
	 * JSON: `of` (see `basis`), `at` (when), `obstacle` (see `Obstacles`) and `since` when it is the same, `where`
	 * (the engine's own answer), and the `digest` of the program with what it was `digest_of`.
	 */
	const OPTION = 'closte_sync_carried';

	/**
	 * What is known is good for so many seconds, unless its basis changes.
	 */
	const GOOD_FOR = 300;

	/**
	 * The functions that are needed to start a program.
	 */
	const FUNCTIONS = array( 'proc_open', 'proc_close', 'proc_get_status', 'proc_terminate', 'stream_select', 'stream_set_blocking', 'usleep', 'hash_file' );

	/**
	 * The program.
	 *
	 * @return string Its path.
	 */
	public static function program() {
		return dirname( __DIR__ ) . '/bin/closte-sync';
	}

	/**
	 * Whether this plugin carries an engine.
	 *
	 * @return bool
	 */
	public static function is_there() {
		return is_file( self::program() );
	}

	/**
	 * Whether it is known to be able to run.
	 *
	 * @return bool
	 */
	public static function is_able() {
		return self::is_there() && self::is_known() && null === self::known()['obstacle'];
	}

	/**
	 * What is known about it.
	 *
	 * @return array With all its fields.
	 */
	public static function known() {
		$none = array(
			'of'        => null,
			'at'        => 0,
			'obstacle'  => null,
			'since'     => 0,
			'where'     => array(),
			'digest'    => null,
			'digest_of' => null,
		);
		return array_intersect_key( Engine::decode( Engine::stored( self::OPTION ) ), $none ) + $none;
	}

	/**
	 * What keeps it from running.
	 *
	 * @return array|null See `Obstacles`; null for nothing, or where nothing is known.
	 */
	public static function obstacle() {
		return self::is_there() && self::is_known() ? self::known()['obstacle'] : null;
	}

	/**
	 * Look at it where nothing is known, and where what is known is old.
	 *
	 * @param bool $is_able_good Whether it is good enough, however old, that it was able.
	 * @return bool Whether it is able to run.
	 */
	public static function refresh( $is_able_good = false ) {
		if ( ! self::is_there() || self::is_of_another_user() ) {
			return false;
		}
		$is_old = abs( time() - self::known()['at'] ) >= self::GOOD_FOR && ! ( $is_able_good && self::is_able() );
		if ( ! self::is_known() || $is_old ) {
			self::look();
		}
		return self::is_able();
	}

	/**
	 * Look at it, and keep what is found.
	 */
	public static function look() {
		if ( ! self::is_there() || self::is_of_another_user() ) {
			return;
		}
		$before = self::known();
		$now    = self::examine( $before );
		if ( null !== $now['obstacle'] ) {
			$is_same      = isset( $before['obstacle']['code'] ) && $before['obstacle']['code'] === $now['obstacle']['code'];
			$now['since'] = $is_same ? $before['since'] : $now['at'];
		}
		Network_Options::write( self::OPTION, (string) wp_json_encode( $now, JSON_INVALID_UTF8_SUBSTITUTE ) );
		Engine::forget();
	}

	/**
	 * The settings of WordPress, where it finds them.
	 *
	 * @return string A path.
	 */
	public static function wp_config() {
		return is_file( ABSPATH . 'wp-config.php' ) ? ABSPATH . 'wp-config.php' : dirname( ABSPATH ) . '/wp-config.php';
	}

	/**
	 * Which functions PHP lacks to start programs. One that is forbidden is not there.
	 *
	 * @return string[]
	 */
	public static function lacking() {
		$is_lacking = static function ( $name ) {
			return ! function_exists( $name );
		};
		return array_values( array_filter( self::FUNCTIONS, $is_lacking ) );
	}

	/**
	 * Look.
	 *
	 * @param array $before What was known.
	 * @return array What is found.
	 */
	private static function examine( array $before ) {
		clearstatcache( true, self::program() );
		$pinned = self::pinned();
		$found  = array(
			'of'        => self::basis(),
			'at'        => time(),
			'obstacle'  => null,
			'since'     => 0,
			'where'     => array(),
			'digest'    => $before['digest'],
			'digest_of' => self::build(),
		);
		// One that is wrong is read again in any case: whoever puts it right may keep size and time.
		if ( $pinned !== $found['digest'] || $before['digest_of'] !== $found['digest_of'] ) {
			$found['digest'] = self::digest();
		}
		$facts             = array(
			'system'  => PHP_OS_FAMILY,
			'machine' => self::machine(),
			'lacking' => self::lacking(),
			'pinned'  => $pinned,
			'digest'  => $found['digest'],
			'can_run' => self::is_runnable( null !== $pinned && $pinned === $found['digest'] ),
		);
		$found['obstacle'] = Obstacles::before_start( $facts );
		if ( null === $found['obstacle'] ) {
			$outcome           = Engine_Process::look();
			$found['obstacle'] = Obstacles::after_look( $outcome, Plugin::version() );
			$found['where']    = Obstacles::where( $outcome['out'] );
		}
		return $found;
	}

	/**
	 * Whether what is known was found from what is there now.
	 *
	 * @return bool
	 */
	private static function is_known() {
		return self::known()['of'] === self::basis();
	}

	/**
	 * What decides whether it can run, as far as that costs nothing. A copy of this database is in another folder.
	 *
	 * @return array
	 */
	private static function basis() {
		return array( self::program(), self::build(), self::machine(), self::lacking(), self::user() );
	}

	/**
	 * Which program it is, without reading it.
	 *
	 * @return string
	 */
	private static function build() {
		return filesize( self::program() ) . ' ' . filemtime( self::program() ) . ' ' . Plugin::version();
	}

	/**
	 * The kind of machine.
	 *
	 * @return string|null Null where PHP may not say: then starting it shows.
	 */
	private static function machine() {
		return function_exists( 'php_uname' ) ? php_uname( 'm' ) : null;
	}

	/**
	 * The user that PHP runs as.
	 *
	 * @return int|null Null where PHP may not say.
	 */
	private static function user() {
		return function_exists( 'posix_geteuid' ) ? posix_geteuid() : null;
	}

	/**
	 * Whether this is a command line of another user than the one that serves visitors: that one's files, and so the
	 * ledger, are others, and the network has one.
	 *
	 * @return bool
	 */
	private static function is_of_another_user() {
		if ( 'cli' !== PHP_SAPI ) {
			return false;
		}
		$of       = self::known()['of'];
		$is_known = isset( $of[0] ) && self::program() === $of[0];
		return self::user() !== ( $is_known ? $of[4] : self::owner() );
	}

	/**
	 * The user that serves visitors, where nobody has looked yet: the owner of the folder that WordPress writes into, or
	 * else of the program.
	 *
	 * @return int|false
	 */
	private static function owner() {
		$uploads = wp_get_upload_dir()['basedir'];
		return fileowner( is_dir( $uploads ) ? $uploads : self::program() );
	}

	/**
	 * The digest of the program.
	 *
	 * @return string|null Null where PHP may not read it.
	 */
	private static function digest() {
		// phpcs:ignore -- The result shows whether it can be read.
		$digest = function_exists( 'hash_file' ) ? @hash_file( 'sha256', self::program() ) : false;
		return is_string( $digest ) ? $digest : null;
	}

	/**
	 * The digest that the program must have.
	 *
	 * @return string|null 64 hexadecimal digits.
	 */
	private static function pinned() {
		// phpcs:ignore -- A file of this folder; the result shows whether it can be read.
		$line = (string) @file_get_contents( self::program() . '.sha256' );
		return preg_match( '/^([0-9a-f]{64}) [ *]closte-sync\s*$/', $line, $found ) ? $found[1] : null;
	}

	/**
	 * Whether it may be run. WordPress unpacks it without the run bit; that is set only on what is as pinned.
	 *
	 * @param bool $is_pinned Whether it is.
	 * @return bool
	 */
	private static function is_runnable( $is_pinned ) {
		if ( ! is_executable( self::program() ) && $is_pinned && function_exists( 'chmod' ) ) {
			// phpcs:ignore -- The result shows whether it worked.
			@chmod( self::program(), 0755 );
			clearstatcache( true, self::program() );
		}
		return is_executable( self::program() );
	}
}
