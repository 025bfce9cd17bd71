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
	 * The most alerts, and problems, that are kept, and the most characters of each.
	 */
	const MOST_TEXTS = 50;
	const LONGEST    = 500;

	/**
	 * What was read so far: a page asks several times, the database is asked once.
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
	 * The engine is at work: what it does for the network arrives here, and is kept.
	 *
	 * @param int $now The time.
	 * @return bool Whether that is stored.
	 */
	public static function note_heard( $now ) {
		self::forget();
		return Network_Options::write( self::HEARD, $now );
	}

	/**
	 * The last report but for its domains, with the defaults of what it did not tell.
	 *
	 * @return array
	 */
	public static function report() {
		$none = array(
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
		return array_merge( $none, self::decode( self::read()[ self::REPORT ] ) );
	}

	/**
	 * What the engine knows of each domain, by the id of its mapping.
	 *
	 * @return array
	 */
	public static function domains() {
		return self::decode( Network_Options::read( self::DOMAINS ) );
	}

	/**
	 * Keep what the engine told.
	 *
	 * @param array $told The body of the request.
	 * @return bool Whether all of it is stored.
	 */
	public static function store( array $told ) {
		self::forget();
		$has_domains = isset( $told['domains'] ) && is_array( $told['domains'] );
		if ( $has_domains && ! self::keep( self::DOMAINS, array_filter( $told['domains'], 'is_array' ) ) ) {
			return false;
		}
		if ( ! self::keep( self::REPORT, self::tidy( $told ) ) ) {
			return false;
		}
		array_map( array( Ultimate_Multisite::class, 'log' ), self::texts( $told, 'log', self::MOST_LINES ) );
		return true;
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
			'alerts'   => self::short_texts( $told, 'alerts' ),
			'problems' => self::short_texts( $told, 'problems' ),
			'counts'   => array_map( 'intval', self::items( $told, 'counts' ) ),
		);
	}

	/**
	 * Keep what was told as plain ASCII, as not every network's table takes all of UTF-8.
	 *
	 * @param string $name  Of the option.
	 * @param array  $value What was told.
	 * @return bool Whether that is stored.
	 */
	private static function keep( $name, array $value ) {
		$text = wp_json_encode( $value );
		return is_string( $text ) && Network_Options::write( $name, $text );
	}

	/**
	 * What was kept so.
	 *
	 * @param mixed $stored As it was read.
	 * @return array Empty for what makes no sense.
	 */
	private static function decode( $stored ) {
		$value = is_string( $stored ) ? json_decode( $stored, true ) : null;
		return is_array( $value ) ? $value : array();
	}

	/**
	 * What decides who is in charge, and the report, in one question.
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
	 * @param int    $most How many are taken.
	 * @return string[]
	 */
	private static function texts( array $told, $name, $most ) {
		return array_slice( array_filter( self::items( $told, $name ), 'is_string' ), 0, $most );
	}

	/**
	 * The texts of a list that is kept: not too many, and none too long.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return string[]
	 */
	private static function short_texts( array $told, $name ) {
		$shorten = static function ( $text ) {
			return mb_substr( $text, 0, self::LONGEST, 'UTF-8' );
		};
		return array_values( array_map( $shorten, self::texts( $told, $name, self::MOST_TEXTS ) ) );
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
