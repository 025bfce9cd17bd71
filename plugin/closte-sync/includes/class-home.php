<?php
/**
 * The mark that says which installation acts for the network.
 *
 * A copy of the network contains it and is recognized by it, so it is never invented here, and never
 * removed with the plugin.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The home of a network.
 */
final class Home {

	const OPTION = 'closte_sync_home';

	/**
	 * A home in the types that it has, and nothing else.
	 *
	 * @param mixed $home Anything.
	 * @return array|null Null for anything else.
	 */
	public static function tidy( $home ) {
		if ( ! is_array( $home ) || ! self::is_text( $home, 'domain' ) || ! self::is_text( $home, 'ledger' ) ) {
			return null;
		}
		$tidy = array(
			'app'    => self::is_text( $home, 'app' ) ? $home['app'] : null,
			'domain' => $home['domain'],
			'ledger' => $home['ledger'],
			'serial' => isset( $home['serial'] ) && is_int( $home['serial'] ) ? $home['serial'] : null,
		);
		// Where the ledger is: only for people.
		foreach ( array( 'host', 'user', 'path' ) as $name ) {
			$tidy[ $name ] = self::is_text( $home, $name ) ? $home[ $name ] : '';
		}
		return $tidy;
	}

	/**
	 * Store a home; returns the one that is there now.
	 *
	 * @param array $home    The new one.
	 * @param bool  $replace Whether it replaces another.
	 * @return array|null
	 */
	public static function settle( array $home, $replace ) {
		if ( $replace ) {
			Network_Options::write( self::OPTION, $home );
		} else {
			Network_Options::write_first( self::OPTION, $home );
		}
		return self::tidy( Network_Options::read( self::OPTION ) );
	}

	/**
	 * Store a home over one that still has the same ledger and serial; returns the one that is there now.
	 *
	 * @param array $home The new one.
	 * @param array $over The one that it replaces.
	 * @return array|null
	 */
	public static function move( array $home, array $over ) {
		$stored = Network_Options::raw( array( self::OPTION ) )[ self::OPTION ];
		$stands = self::tidy( Network_Options::value( $stored ) );
		if ( self::is_same( $stands, $over ) ) {
			Network_Options::exchange( self::OPTION, $stored, $home );
		}
		return self::tidy( Network_Options::read( self::OPTION ) );
	}

	/**
	 * Whether the mark names another ledger.
	 *
	 * @param mixed $ledger A ledger.
	 * @return bool False where there is no mark.
	 */
	public static function is_of_another( $ledger ) {
		$home = self::tidy( Network_Options::read( self::OPTION ) );
		return null !== $home && $home['ledger'] !== $ledger;
	}

	/**
	 * Whether the mark names another installation than this one: by the domain of the network, or by the app at
	 * the host where both know it.
	 *
	 * @return bool
	 */
	public static function is_elsewhere() {
		return self::names_another( Network_Options::read( self::OPTION ) );
	}

	/**
	 * Whether a mark that was read already names another installation than this one.
	 *
	 * @param mixed $mark The option.
	 * @return bool
	 */
	public static function names_another( $mark ) {
		$home = self::tidy( $mark );
		if ( null === $home ) {
			return false;
		}
		$app = Network_Reader::app();
		return ! self::is_our_domain( $home['domain'] ) || ( null !== $app && null !== $home['app'] && $app !== $home['app'] );
	}

	/**
	 * Whether a domain is this network's own. The engine leaves out the port, and the dot at the end.
	 *
	 * @param string $domain As the engine reads it.
	 * @return bool
	 */
	public static function is_our_domain( $domain ) {
		$host = static function ( $name ) {
			return preg_replace( '/:\d+$/', '', strtolower( rtrim( $name, '.' ) ) );
		};
		return $host( $domain ) === $host( get_network()->domain );
	}

	/**
	 * What distinguishes this network from a copy of its database. What is bound to it counts in no copy.
	 *
	 * @return string
	 */
	public static function here() {
		return get_network()->domain . ' ' . Network_Reader::app();
	}

	/**
	 * The installation that the mark names, for people.
	 *
	 * @return string
	 */
	public static function named() {
		$home = self::tidy( Network_Options::read( self::OPTION ) );
		if ( null === $home ) {
			return '-';
		}
		return null === $home['app'] ? $home['domain'] : "{$home['domain']} (CLOSTE_APP_ID {$home['app']})";
	}

	/**
	 * Whether two homes are the same version of the same ledger's.
	 *
	 * @param array|null $stands One.
	 * @param array      $other  The other.
	 * @return bool
	 */
	public static function is_same( $stands, array $other ) {
		return null !== $stands && isset( $other['ledger'] ) && $stands['ledger'] === $other['ledger']
			&& (int) $stands['serial'] === ( isset( $other['serial'] ) ? (int) $other['serial'] : 0 );
	}

	/**
	 * Whether any home is there, even one that cannot be read.
	 *
	 * @return bool
	 */
	public static function is_there() {
		return null !== Network_Options::raw( array( self::OPTION ) )[ self::OPTION ];
	}

	/**
	 * Whether there is a text.
	 *
	 * @param array  $home Where.
	 * @param string $name Its name.
	 * @return bool
	 */
	private static function is_text( array $home, $name ) {
		return isset( $home[ $name ] ) && is_string( $home[ $name ] ) && '' !== $home[ $name ];
	}
}
