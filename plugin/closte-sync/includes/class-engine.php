<?php
/**
 * What is known of the engine: when it was heard of last, and what it told.
 *
 * Where it falls silent the plugin steps aside; nothing here ever asks the engine anything.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The engine, as it was heard of.
 */
final class Engine {

	const HEARD   = 'closte_sync_heard';
	const REPORT  = 'closte_sync_report';
	const DOMAINS = 'closte_sync_domains';

	/**
	 * After so many seconds without a word the engine counts as gone, unless it told otherwise.
	 */
	const SILENCE = 3600;

	/**
	 * The most lines of a log that one report may bring.
	 */
	const MOST_LINES = 200;

	/**
	 * What this request has read so far: each page asks, so it asks once.
	 *
	 * @var array|null
	 */
	private static $read = null;

	/**
	 * When the engine was heard of last; 0 for never.
	 *
	 * @return int
	 */
	public static function heard_at() {
		return (int) self::read()[ self::HEARD ];
	}

	/**
	 * Whether the engine was heard of lately enough.
	 *
	 * @return bool
	 */
	public static function is_heard_of() {
		return time() - self::heard_at() <= self::report()['silence'];
	}

	/**
	 * Whether the plugin takes the built-in integration's place.
	 *
	 * @return bool
	 */
	public static function is_in_charge() {
		return self::is_heard_of() && self::is_switched_on() && Ultimate_Multisite::is_there();
	}

	/**
	 * Whether the network's admin switched Closte on.
	 *
	 * @return bool
	 */
	public static function is_switched_on() {
		return Ultimate_Multisite::has_closte( self::read()[ Ultimate_Multisite::INTEGRATIONS ] );
	}

	/**
	 * A good request came.
	 *
	 * @param int $now The time.
	 */
	public static function note_heard( $now ) {
		Network_Options::write( self::HEARD, $now );
		self::forget();
	}

	/**
	 * The last report but for its domains, with the defaults of what it did not tell.
	 *
	 * @return array
	 */
	public static function report() {
		$none   = array(
			'engine'   => null,
			'at'       => null,
			'silence'  => self::SILENCE,
			'nudge'    => array(
				'url'  => null,
				'file' => null,
			),
			'panel'    => null,
			'alerts'   => array(),
			'problems' => array(),
			'counts'   => array(),
		);
		$report = self::read()[ self::REPORT ];
		return is_array( $report ) ? array_merge( $none, $report ) : $none;
	}

	/**
	 * What the engine knows of each domain, by the id of its mapping.
	 *
	 * @return array
	 */
	public static function domains() {
		$domains = Network_Options::read( self::DOMAINS );
		return is_array( $domains ) ? $domains : array();
	}

	/**
	 * Keep what the engine told.
	 *
	 * @param array $told The body of the request.
	 */
	public static function store( array $told ) {
		Network_Options::write( self::REPORT, self::tidy( $told ) );
		if ( isset( $told['domains'] ) && is_array( $told['domains'] ) ) {
			Network_Options::write( self::DOMAINS, array_filter( $told['domains'], 'is_array' ) );
		}
		$lines = array_slice( self::texts( $told, 'log' ), 0, self::MOST_LINES );
		array_map( array( Ultimate_Multisite::class, 'log' ), $lines );
		self::forget();
	}

	/**
	 * Read the options anew when asked next.
	 */
	public static function forget() {
		self::$read = null;
	}

	/**
	 * A report in the types that we count on.
	 *
	 * @param array $told What came.
	 * @return array
	 */
	private static function tidy( array $told ) {
		$nudge   = self::items( $told, 'nudge' );
		$silence = isset( $told['silence'] ) ? (int) $told['silence'] : self::SILENCE;
		return array(
			'engine'   => self::text( $told, 'engine' ),
			'at'       => isset( $told['at'] ) ? (int) $told['at'] : null,
			'silence'  => max( 1, $silence ),
			'nudge'    => array(
				'url'  => self::text( $nudge, 'url' ),
				'file' => self::text( $nudge, 'file' ),
			),
			'panel'    => self::text( $told, 'panel' ),
			'alerts'   => self::texts( $told, 'alerts' ),
			'problems' => self::texts( $told, 'problems' ),
			'counts'   => array_map( 'intval', self::items( $told, 'counts' ) ),
		);
	}

	/**
	 * What every page asks for, in one question.
	 *
	 * @return array
	 */
	private static function read() {
		if ( null === self::$read ) {
			self::$read = Network_Options::read_all( array( self::HEARD, self::REPORT, Ultimate_Multisite::INTEGRATIONS ) );
		}
		return self::$read;
	}

	/**
	 * A text, or null.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return string|null
	 */
	private static function text( array $told, $name ) {
		return isset( $told[ $name ] ) && is_string( $told[ $name ] ) && '' !== $told[ $name ] ? $told[ $name ] : null;
	}

	/**
	 * The texts of a list.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return string[]
	 */
	private static function texts( array $told, $name ) {
		return array_values( array_filter( self::items( $told, $name ), 'is_string' ) );
	}

	/**
	 * A list, or an empty one.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return array
	 */
	private static function items( array $told, $name ) {
		return isset( $told[ $name ] ) && is_array( $told[ $name ] ) ? $told[ $name ] : array();
	}
}
