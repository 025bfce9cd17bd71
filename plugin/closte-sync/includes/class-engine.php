<?php
/**
 * What is known about the engine: when it last reported, and what it reported.
 *
 * If it stops reporting, the plugin steps aside; nothing here ever calls or starts the engine. In a copy of the
 * network nothing is known: what the copy contains was reported to the original.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The engine, as it was last reported.
 */
final class Engine {

	const HEARD   = 'closte_sync_heard';
	const REPORT  = 'closte_sync_report';
	const DOMAINS = 'closte_sync_domains';

	/**
	 * After so many seconds without a report the engine counts as gone, unless it set another time.
	 */
	const SILENCE = 3600;

	/**
	 * The most log lines that one report may contain.
	 */
	const MOST_LINES = 200;

	/**
	 * The most alerts, and problems, that are kept, and the most characters of each.
	 */
	const MOST_TEXTS = 50;
	const LONGEST    = 500;

	/**
	 * What was read so far: a page asks several times, the database is queried once.
	 *
	 * @var array|null
	 */
	private static $read = null;

	/**
	 * What is known about the domains, where that was read.
	 *
	 * @var array|null
	 */
	private static $domains = null;

	/**
	 * When the engine last reported; 0 for never.
	 *
	 * @return int
	 */
	public static function heard_at() {
		return (int) self::read()[ self::HEARD ];
	}

	/**
	 * Whether the engine reported recently enough.
	 *
	 * @return bool
	 */
	public static function is_heard_of() {
		return time() <= self::silent_after();
	}

	/**
	 * Until when the engine is not silent, if it is not heard again. One that this plugin carries, and that nothing
	 * is known to keep, comes when it is due, so a network at rest is not handed back.
	 *
	 * @return int
	 */
	public static function silent_after() {
		$promised = Carried::is_there() && null === Carried::obstacle() ? Pass_Rules::promised( self::stored( Passes::NEXT ), Passes::runs() ) : 0;
		return Pass_Rules::silent_after( self::heard_at(), $promised, self::report()['silence'] );
	}

	/**
	 * Whether the plugin replaces the built-in integration.
	 *
	 * @return bool
	 */
	public static function is_in_charge() {
		return self::is_heard_of() && self::is_switched_on() && Ultimate_Multisite::is_there();
	}

	/**
	 * One of the options that are read together.
	 *
	 * @param string $name Its name.
	 * @return mixed Null where there is none.
	 */
	public static function stored( $name ) {
		return self::read()[ $name ];
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
	 * What of the built-in integration's work is taken, as `Giving_Back` writes it.
	 *
	 * @return string|null Null where we were never in charge.
	 */
	public static function charge() {
		$state = self::read()[ Giving_Back::OPTION ];
		return null === $state ? null : (string) $state;
	}

	/**
	 * The engine is working: it sent a report or stages. The time is stored.
	 *
	 * @param int $now The time.
	 * @return bool Whether that is stored.
	 */
	public static function note_heard( $now ) {
		self::forget();
		return Network_Options::write( self::HEARD, $now );
	}

	/**
	 * The last report without its domains, with defaults for what it did not contain.
	 *
	 * @return array
	 */
	public static function report() {
		$none = array(
			'engine'   => null,
			'at'       => null,
			'received' => 0,
			'silence'  => self::SILENCE,
			'nudge'    => array(
				'url'  => null,
				'file' => null,
			),
			'panel'    => null,
			'alerts'   => array(),
			'notices'  => array(),
			'problems' => array(),
			'counts'   => array(),
		);
		return array_merge( $none, self::of_the_pass( array() ), self::decode( self::read()[ self::REPORT ] ) );
	}

	/**
	 * What the engine knows about each domain, by the id of its mapping.
	 *
	 * @return array
	 */
	public static function domains() {
		if ( null === self::$domains ) {
			self::$domains = Home::is_elsewhere() ? array() : self::decode( Network_Options::read( self::DOMAINS ) );
		}
		return self::$domains;
	}

	/**
	 * What the engine knows about a mapping, if that still has the name that it was reported with.
	 *
	 * @param int    $id   Of the mapping.
	 * @param string $name The name that its row has.
	 * @return array|null Null where nothing is reported.
	 */
	public static function domain( $id, $name ) {
		$domains = self::domains();
		$domain  = isset( $domains[ $id ] ) ? $domains[ $id ] : null;
		return isset( $domain['domain'] ) && strtolower( rtrim( (string) $name, '.' ) ) === $domain['domain'] ? $domain : null;
	}

	/**
	 * Store what the engine reported.
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
	 * Read the options again at the next question.
	 */
	public static function forget() {
		self::$read    = null;
		self::$domains = null;
	}

	/**
	 * A report in the types that we rely on.
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
			'received' => time(),
			'silence'  => max( 1, $silence ),
			'nudge'    => array(
				'url'  => self::text( $nudge, 'url' ),
				'file' => self::text( $nudge, 'file' ),
			),
			'panel'    => self::text( $told, 'panel' ),
			'alerts'   => self::short_texts( $told, 'alerts' ),
			'notices'  => self::notices( $told ),
			'problems' => self::short_texts( $told, 'problems' ),
			'counts'   => array_map( 'intval', self::items( $told, 'counts' ) ),
		) + self::of_the_pass( $told );
	}

	/**
	 * What a report says of the pass that it follows: whose it was, how many domains are ready and are not,
	 * and what it kept back.
	 *
	 * @param array $told What came.
	 * @return array Null for a number or text that is not there.
	 */
	private static function of_the_pass( array $told ) {
		$deferred = array();
		foreach ( array_slice( self::items( $told, 'deferred' ), 0, self::MOST_TEXTS ) as $step ) {
			if ( is_array( $step ) && null !== self::text( $step, 'domain' ) ) {
				$deferred[] = array(
					'action'  => (string) self::text( $step, 'action' ),
					'domain'  => self::text( $step, 'domain' ),
					'text'    => (string) self::text( $step, 'text' ),
					'release' => (string) self::text( $step, 'release' ),
					'until'   => self::number( $step, 'until' ),
				);
			}
		}
		return array(
			'ledger'         => self::text( $told, 'ledger' ),
			'ready'          => self::number( $told, 'ready' ),
			'waiting'        => self::number( $told, 'waiting' ),
			'plan'           => self::text( $told, 'plan' ),
			'deferred'       => $deferred,
			'deferred_count' => (int) self::number( $told, 'deferred_count' ),
		);
	}

	/**
	 * Store what was reported as plain ASCII, as not every network's table accepts all of UTF-8.
	 *
	 * @param string $name  Of the option.
	 * @param array  $value What was reported.
	 * @return bool Whether that is stored.
	 */
	private static function keep( $name, array $value ) {
		$text = wp_json_encode( $value );
		return is_string( $text ) && Network_Options::write( $name, $text );
	}

	/**
	 * What was stored as JSON.
	 *
	 * @param mixed $stored As it was read.
	 * @return array Empty for an invalid value.
	 */
	public static function decode( $stored ) {
		$value = is_string( $stored ) ? json_decode( $stored, true ) : null;
		return is_array( $value ) ? $value : array();
	}

	/**
	 * What decides who is in charge, the report, and how the carried engine does, in one query.
	 *
	 * @return array
	 */
	private static function read() {
		if ( null === self::$read ) {
			$read = Network_Options::read_all( array( self::HEARD, self::REPORT, Giving_Back::OPTION, Ultimate_Multisite::INTEGRATIONS, Home::OPTION, Carried::OPTION, Passes::NEXT, Passes::OPTION ) );
			if ( Home::names_another( $read[ Home::OPTION ] ) ) {
				$read[ self::HEARD ]  = null;
				$read[ self::REPORT ] = null;
			}
			self::$read = $read;
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
	public static function text( array $told, $name ) {
		return isset( $told[ $name ] ) && is_string( $told[ $name ] ) && '' !== $told[ $name ] ? $told[ $name ] : null;
	}

	/**
	 * A number, or null.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return int|null
	 */
	public static function number( array $told, $name ) {
		return isset( $told[ $name ] ) && is_numeric( $told[ $name ] ) ? (int) $told[ $name ] : null;
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
	 * The alerts with their codes.
	 *
	 * @param array $told What came.
	 * @return array[] `code`, `domain`, `what` and `hint` of each.
	 */
	private static function notices( array $told ) {
		$notices = array();
		foreach ( array_slice( array_filter( self::items( $told, 'notices' ), 'is_array' ), 0, self::MOST_TEXTS ) as $notice ) {
			$texts = array();
			foreach ( array( 'code', 'domain', 'what', 'hint' ) as $name ) {
				$texts[ $name ] = mb_substr( (string) self::text( $notice, $name ), 0, self::LONGEST, 'UTF-8' );
			}
			$notices[] = $texts;
		}
		return $notices;
	}

	/**
	 * A list, or an empty one.
	 *
	 * @param array  $told Where it may be.
	 * @param string $name Its name.
	 * @return array
	 */
	public static function items( array $told, $name ) {
		return isset( $told[ $name ] ) && is_array( $told[ $name ] ) ? $told[ $name ] : array();
	}
}
