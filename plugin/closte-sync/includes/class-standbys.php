<?php
/**
 * Installations that found this network and do not act for it: who they are, and why.
 *
 * They are kept apart from the report of the installation that acts, and say nothing else. Only one that
 * reads this very network is kept: the engine of a copy may reach this WordPress by the network's name.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The installations that stand by.
 */
final class Standbys {

	const OPTION = 'closte_sync_standbys';

	/**
	 * The most that are kept, and after how many seconds without a word one is forgotten.
	 */
	const MOST    = 5;
	const EXPIRES = DAY_IN_SECONDS;

	/**
	 * The alerts of one that a person can have act.
	 */
	const CODES = array( 'copy', 'other-network' );

	/**
	 * Those that said so within a day, the last one first.
	 *
	 * @return array[] Each with `ledger`, `host`, `user`, `path`, `text`, `hint` and `at`.
	 */
	public static function all() {
		return self::young( Network_Options::read( self::OPTION ) );
	}

	/**
	 * Take in what an installation says that does not act.
	 *
	 * @param mixed $told What it says.
	 */
	public static function note( $told ) {
		$standby = self::tidy( $told );
		if ( null === $standby ) {
			return;
		}
		self::replace( $standby['ledger'], array( $standby ) );
	}

	/**
	 * An installation acts now.
	 *
	 * @param mixed $ledger Its ledger.
	 */
	public static function acts( $ledger ) {
		if ( is_string( $ledger ) && in_array( $ledger, wp_list_pluck( self::all(), 'ledger' ), true ) ) {
			self::replace( $ledger, array() );
		}
	}

	/**
	 * Store what is known of one ledger.
	 *
	 * @param string  $ledger  The ledger.
	 * @param array[] $standby It, or nothing.
	 */
	private static function replace( $ledger, array $standby ) {
		Network_Options::change(
			self::OPTION,
			static function ( $stored ) use ( $ledger, $standby ) {
				$is_other = static function ( $other ) use ( $ledger ) {
					return $ledger !== $other['ledger'];
				};
				$others   = array_filter( self::young( $stored ), $is_other );
				$all      = (string) wp_json_encode( array_slice( array_merge( $standby, $others ), 0, self::MOST ) );
				return $all === $stored ? null : $all;
			}
		);
	}

	/**
	 * What an option holds, but for what is too old.
	 *
	 * @param mixed $stored The option.
	 * @return array[]
	 */
	private static function young( $stored ) {
		$all     = is_string( $stored ) ? json_decode( $stored, true ) : null;
		$is_kept = static function ( $standby ) {
			return isset( $standby['ledger'], $standby['at'] ) && time() - $standby['at'] < self::EXPIRES;
		};
		return is_array( $all ) ? array_values( array_filter( $all, $is_kept ) ) : array();
	}

	/**
	 * An installation in the types that it has.
	 *
	 * @param mixed $told Anything.
	 * @return array|null Null for anything else, and for one that reads another network or knows another app.
	 */
	private static function tidy( $told ) {
		if ( ! is_array( $told ) || ! isset( $told['alert'] ) || ! is_array( $told['alert'] ) ) {
			return null;
		}
		$text = static function ( array $from, $name ) {
			return isset( $from[ $name ] ) && is_string( $from[ $name ] ) ? mb_substr( $from[ $name ], 0, Engine::LONGEST, 'UTF-8' ) : '';
		};
		if ( '' === $text( $told, 'ledger' ) || ! in_array( $text( $told['alert'], 'code' ), self::CODES, true ) || ! self::is_of_this_network( $text( $told, 'domain' ), $text( $told, 'app' ) ) ) {
			return null;
		}
		$standby = array( 'at' => time() );
		foreach ( array( 'ledger', 'host', 'user', 'path' ) as $name ) {
			$standby[ $name ] = $text( $told, $name );
		}
		foreach ( array( 'text', 'hint' ) as $name ) {
			$standby[ $name ] = $text( $told['alert'], $name );
		}
		return $standby;
	}

	/**
	 * Whether somebody reads this network. Over REST nobody knows the app.
	 *
	 * @param string $domain The network's own domain, as they read it.
	 * @param string $app    `CLOSTE_APP_ID`, as they read it; empty for none.
	 * @return bool
	 */
	private static function is_of_this_network( $domain, $app ) {
		return Home::is_our_domain( $domain ) && ( '' === $app || Network_Reader::app() === $app );
	}
}
