<?php
/**
 * The links to the status pages of owners: one a mapping, for a time.
 *
 * Whoever has one sees the page and has the domain checked, and can do nothing else. Only a hash of it is stored, so
 * who reads the database has none; and it is bound to the network that it was made in, as a copy of the database
 * contains the hash, too.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Making, finding and ending them.
 */
final class Status_Links {

	const OPTION = 'closte_sync_links';

	/**
	 * The parameter in the address.
	 */
	const PARAMETER = 'closte-sync-status';

	/**
	 * The most that there are at a time.
	 */
	const MOST = 500;

	/**
	 * So many seconds one is valid.
	 */
	const EXPIRES = 30 * DAY_IN_SECONDS;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		register_deactivation_hook( FILE, array( self::class, 'forget' ) );
	}

	/**
	 * Make a link, which ends the older one of the mapping, and have the engine report of it.
	 *
	 * @param int    $id     Of the mapping.
	 * @param string $domain Its name.
	 * @return string|null The address, which is known only now; null where there are too many, or it is not stored.
	 */
	public static function make( $id, $domain ) {
		$token   = bin2hex( random_bytes( 16 ) );
		$link    = array(
			'hash'   => hash( 'sha256', $token ),
			'domain' => strtolower( $domain ),
			'in'     => Home::here(),
			'made'   => time(),
			'until'  => time() + self::EXPIRES,
		);
		$is_made = self::change(
			static function ( $links ) use ( $id, $link ) {
				unset( $links[ $id ] );
				return count( $links ) < self::MOST ? $links + array( $id => $link ) : null;
			}
		);
		if ( ! $is_made ) {
			return null;
		}
		Nudge::mark( 'link' );
		return add_query_arg( self::PARAMETER, $token, get_home_url( get_main_site_id(), '/' ) );
	}

	/**
	 * End a link.
	 *
	 * @param int $id Of the mapping.
	 * @return bool Whether there was one.
	 */
	public static function revoke( $id ) {
		return self::change(
			static function ( $links ) use ( $id ) {
				return isset( $links[ $id ] ) ? array_diff_key( $links, array( $id => null ) ) : null;
			}
		);
	}

	/**
	 * The link of a token, if its mapping is still there by the same name.
	 *
	 * @param string $token What somebody sent.
	 * @return array|null The link, with the `id` of its mapping; null where it is not valid.
	 */
	public static function find( $token ) {
		if ( 1 !== preg_match( '/^[0-9a-f]{32}\z/', $token ) ) {
			return null;
		}
		$hash  = hash( 'sha256', $token );
		$found = null;
		foreach ( self::all() as $id => $link ) {
			if ( hash_equals( $link['hash'], $hash ) ) {
				$found = array( 'id' => $id ) + $link;
			}
		}
		return null !== $found && in_array( $found['id'], Ultimate_Multisite::mappings_of( $found['domain'] ), true ) ? $found : null;
	}

	/**
	 * The mappings that have one.
	 *
	 * @return int[] Their ids.
	 */
	public static function ids() {
		return array_keys( self::all() );
	}

	/**
	 * Those that are valid, as far as they themselves say.
	 *
	 * @return array[] By the ids of the mappings.
	 */
	public static function all() {
		return Home::is_elsewhere() ? array() : self::valid( Network_Options::read( self::OPTION ) );
	}

	/**
	 * End all of them: the plugin is deactivated.
	 */
	public static function forget() {
		delete_network_option( get_current_network_id(), self::OPTION );
	}

	/**
	 * Change them, without losing what others change at the same time.
	 *
	 * @param callable $change Given those that are valid, returns what stands from now on; null to leave it.
	 * @return bool Whether that is stored.
	 */
	private static function change( callable $change ) {
		return Network_Options::change(
			self::OPTION,
			static function ( $stored ) use ( $change ) {
				$links = $change( self::valid( $stored ) );
				return null === $links ? null : (string) wp_json_encode( $links );
			}
		);
	}

	/**
	 * The valid ones of what an option holds.
	 *
	 * @param mixed $stored The option.
	 * @return array[] By the ids of the mappings.
	 */
	private static function valid( $stored ) {
		$here     = Home::here();
		$is_valid = static function ( $link ) use ( $here ) {
			return is_array( $link ) && isset( $link['hash'], $link['domain'], $link['in'], $link['until'] )
				&& is_string( $link['hash'] ) && $here === $link['in'] && time() < $link['until'];
		};
		return array_filter( Engine::decode( $stored ), $is_valid );
	}
}
